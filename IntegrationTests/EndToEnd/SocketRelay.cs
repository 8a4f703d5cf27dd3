using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Stands between a Controller and the socket of the engine, or of the Proxy: counts what the Controller says, and can hold it back, delay it or cut it off.</summary>
internal sealed class SocketRelay : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _engine;
    private readonly Task _accepting;
    private long _bytes;
    private TaskCompletionSource? _hung;
    private CancellationTokenSource _connected = new();
    private long _delay;

    private SocketRelay(string path, string engine)
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
    public static SocketRelay Start(string path, string engine) => new(path, engine);

    /// <summary>Connections are taken and nothing passes, either way, until <see cref="GoOn"/>.</summary>
    public void Hang() => Interlocked.CompareExchange(ref _hung, new(TaskCreationOptions.RunContinuationsAsynchronously), null);

    /// <summary>What was held back passes, and all that follows.</summary>
    public void GoOn() => Interlocked.Exchange(ref _hung, null)?.SetResult();

    /// <summary>How late each answer comes; it holds for answers to come.</summary>
    public TimeSpan Delay
    {
        get => new(Interlocked.Read(ref _delay));
        set => Interlocked.Exchange(ref _delay, value.Ticks);
    }

    /// <summary>Breaks every connection that is open now; what was asked on it may have been done or not.</summary>
    public async Task CutAsync()
    {
        using var cut = Interlocked.Exchange(ref _connected, new());
        await cut.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await CutAsync();
        await _accepting;
        _listener.Dispose();
        _connected.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptAsync(_end.Token), Volatile.Read(ref _connected).Token));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(Socket controller, CancellationToken cut)
    {
        using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (controller)
        {
            try
            {
                await engine.ConnectAsync(new UnixDomainSocketEndPoint(_engine), cut);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                // Nobody listens there, and so nobody answers here.
                return;
            }

            await Task.WhenAll(
                CopyAsync(controller, engine, count => PassAsync(count, cut), cut),
                CopyAsync(engine, controller, _ => HoldAsync(Delay, cut), cut));
        }
    }

    private Task PassAsync(int count, CancellationToken cut)
    {
        Interlocked.Add(ref _bytes, count);
        return HoldAsync(TimeSpan.Zero, cut);
    }

    private async Task HoldAsync(TimeSpan delay, CancellationToken cut)
    {
        if (delay > TimeSpan.Zero)
            await Task.Delay(delay, TimeProvider.System, cut);
        if (Volatile.Read(ref _hung) is { } hung)
            await hung.Task.WaitAsync(cut);
    }

    private static async Task CopyAsync(Socket from, Socket to, Func<int, Task> passAsync, CancellationToken cut)
    {
        var block = new byte[64 * 1024];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(block, cut)) > 0)
            {
                await passAsync(count);
                await to.SendAsync(block.AsMemory(0, count), cut);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side is gone; the other one is closed.
            to.Dispose();
            from.Dispose();
        }
    }
}
