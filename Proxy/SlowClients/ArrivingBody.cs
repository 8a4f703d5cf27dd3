using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>The rest of a request's body that comes so quickly that the kernel may collect it: it goes from socket to socket then, and is never copied here.</summary>
/// <remarks>A client that pauses for some milliseconds, or takes longer than a few dozen, isn't waited for: what it sends is to be collected here, where it is counted.</remarks>
/// <param name="client">The client.</param>
/// <param name="rest">Bytes that are still to come.</param>
internal sealed class ArrivingBody(ClientTransport client, int rest) : IWaitForClient
{
    /// <summary>Bytes that are left to the kernel at most.</summary>
    public const int Most = 1 << 20;

    private const int LongestPatience = 10;

    private int _looks;
    private int _unread;
    private volatile bool _isGivenUp;

    /// <summary>Waits until all of it has come. On the loop's thread.</summary>
    /// <param name="store">Where it is counted, and who looks at the client meanwhile.</param>
    /// <returns>Whether it has.</returns>
    public async ValueTask<bool> TryWaitAsync(BufferStore store)
    {
        if (client.Unread >= rest)
        {
            return true;
        }

        var isThere = false;
        store.CollectingBegan();
        store.Late.Add(this);
        try
        {
            client.WakeAt(rest);
            while (client.Unread < rest && !_isGivenUp && !client.IsEnding)
            {
                await client.WaitForBytesAsync();
            }

            client.WakeAt(1);
            isThere = client.Unread >= rest;
        }
        finally
        {
            store.Late.Remove(this);
            store.CollectingEnded(isThere);
        }

        return isThere;
    }

    /// <inheritdoc/>
    public bool LookAtClient()
    {
        var former = _unread;
        _unread = client.Unread;
        _isGivenUp = _looks++ is var looks and > 1 && (_unread == former || looks >= LongestPatience);
        if (_isGivenUp)
        {
            client.WakeReceiver();
        }

        return _isGivenUp;
    }
}
