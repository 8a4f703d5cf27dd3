using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Clients;

/// <summary>Takes the header of the PROXY protocol from the beginning of each connection, where a load balancer puts one there, and lets the rest of the Proxy see the address that it names.</summary>
/// <remarks>Whoever reaches an address that expects the header is believed: only the load balancer should. A connection without it is closed.</remarks>
/// <param name="headLimit">How long the header may take.</param>
/// <param name="silenceLimit">How long a client may then be silent before its first request: load balancers connect when the client does.</param>
/// <param name="time">Clock of the limits.</param>
internal sealed class ProxyProtocol(TimeSpan headLimit, TimeSpan silenceLimit, TimeProvider time)
{
    /// <summary>Connection middleware.</summary>
    public ConnectionDelegate Watch(ConnectionDelegate next) => connection =>
        connection.Features.Get<ClientTransport>() is { IsIntroduced: true } ? next(connection) : IntroduceAsync(connection, next);

    private async Task IntroduceAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var input = connection.Transport.Input;
        try
        {
            var header = await WithinAsync(connection, headLimit, token => ReadHeaderAsync(input, token));
            connection.RemoteEndPoint = header.Source ?? connection.RemoteEndPoint;
            connection.Features.Get<ClientTransport>()?.Introduce();
            await WithinAsync(connection, silenceLimit, token => WaitForRequestAsync(input, token));
        }
        catch (Exception e) when (e is InvalidDataException or OperationCanceledException or IOException)
        {
            // It has no header, its time is over, the client has left, or the Proxy stops: the connection is closed.
            return;
        }

        await next(connection);
    }

    private async Task<T> WithinAsync<T>(ConnectionContext connection, TimeSpan limit, Func<CancellationToken, Task<T>> work)
    {
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stopping);
        return await work(either.Token);
    }

    private static async Task<ProxyHeader> ReadHeaderAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (HeaderIn(read.Buffer) is { } header)
            {
                input.AdvanceTo(read.Buffer.GetPosition(header.Length));
                return header;
            }

            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                throw new InvalidDataException("The connection ended within the header of the PROXY protocol.");
            }
        }
    }

    private static ProxyHeader? HeaderIn(in ReadOnlySequence<byte> bytes)
    {
        var beginning = bytes.Slice(0, Math.Min(bytes.Length, ProxyHeader.MaxLength));
        return ProxyHeader.Read(beginning.IsSingleSegment ? beginning.FirstSpan : beginning.ToArray());
    }

    // What comes is left for the next reader.
    private static async Task<bool> WaitForRequestAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var read = await input.ReadAsync(cancellationToken);
        input.AdvanceTo(read.Buffer.Start);
        return true;
    }
}
