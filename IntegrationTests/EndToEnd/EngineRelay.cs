using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Stands between a Controller and the engine's socket, counts what the Controller says, and can hold it back.</summary>
internal sealed class EngineRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _engine;
    private readonly Task _accepting;
    private long _bytes;
    private TaskCompletionSource? _hung;

    private EngineRelay(string path, string engine)
    {
        _engine = engine;
        Address = $"unix://{path}";
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>Where the Controller finds the engine.</summary>
    public string Address { get; }

    /// <summary>Bytes that were sent to the engine so far: each call has some.</summary>
    public long BytesSent => Interlocked.Read(ref _bytes);

    /// <param name="path">Of the socket that it listens on.</param>
    /// <param name="engine">Path of the engine's socket.</param>
    public static EngineRelay Start(string path, string engine) => new(path, engine);

    /// <summary>Connections are taken and nothing passes, either way, until <see cref="GoOn"/>.</summary>
    public void Hang() => Interlocked.CompareExchange(ref _hung, new(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>What was held back passes, and all that follows.</summary>
    public void GoOn() => Interlocked.Exchange(ref _hung, null)?.SetResult();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(Socket controller)
    {
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (controller)
        {
            await engine.ConnectAsync(new UnixDomainSocketEndPoint(_engine), _end.Token);
            await Task.WhenAll(CopyAsync(controller, engine, count => Interlocked.Add(ref _bytes, count)), CopyAsync(engine, controller, _ => { }));
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Action<int> sent)
    {
        var block = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(block, _end.Token)) > 0)
            {
                sent(count);
                if (Volatile.Read(ref _hung) is { } hung)
                    await hung.Task.WaitAsync(_end.Token);
                await to.SendAsync(block.AsMemory(0, count), _end.Token);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // One side is gone; the other one is closed.
            to.Dispose();
        }
    }
}
