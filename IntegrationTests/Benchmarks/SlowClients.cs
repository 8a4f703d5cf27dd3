using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Clients on slow lines: half of them read 10 MB at 10 kB/s, the others send 1 MB at 5 kB/s.</summary>
/// <param name="address">Whom they ask.</param>
internal sealed class SlowClients(Uri address) : IAsyncDisposable
{
    public const int OfEachKind = 1000;
    public const long Download = 10_000_000;
    public const long Upload = 1_000_000;

    private const int ReadPerSecond = 10_000;
    private const int SentPerSecond = 5_000;
    private const int ReceiveBuffer = 16 << 10;

    // So quick that one worker has time left for others.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // Clients don't keep step with each other.
    private readonly Random _chance = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _clients = [];
    private int _failed;

    /// <summary>Clients whose connection was ended before they had all.</summary>
    public int Failed => _failed;

    /// <summary>Begins them all, one after another.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < OfEachKind; i++)
        {
            _clients.Add(RunAsync(ReadAsync));
            _clients.Add(RunAsync(SendAsync));
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_clients);
        _end.Dispose();
    }

    private async Task RunAsync(Func<Socket, CancellationToken, Task> use)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = ReceiveBuffer };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, address.Port, _end.Token);
            await use(socket, _end.Token);
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            Interlocked.Increment(ref _failed);
        }
    }

    private async Task ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var request = string.Create(CultureInfo.InvariantCulture, $"GET /bytes/{Download} HTTP/1.1\r\nHost: bench\r\n\r\n");
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        var buffer = new byte[ReadPerSecond];
        for (var received = 0L; received < Download; await RestAsync(cancellationToken))
        {
            for (var left = ReadPerSecond; left > 0 && received < Download;)
            {
                var count = await socket.ReceiveAsync(buffer.AsMemory(0, left), cancellationToken);
                left -= count > 0 ? count : throw new IOException("The answer was cut short.");
                received += count;
            }
        }
    }

    private async Task SendAsync(Socket socket, CancellationToken cancellationToken)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"POST /upload HTTP/1.1\r\nHost: bench\r\nContent-Length: {Upload}\r\n\r\n");
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), cancellationToken);
        var piece = new byte[SentPerSecond];
        for (var sent = 0L; sent < Upload; await RestAsync(cancellationToken))
        {
            sent += await socket.SendAsync(piece, cancellationToken);
        }

        if (await socket.ReceiveAsync(piece, cancellationToken) == 0)
            throw new IOException("There was no answer.");
    }

    // A second, on average.
    private Task RestAsync(CancellationToken cancellationToken)
    {
        lock (_chance)
        {
            return Task.Delay(Second * (0.5 + _chance.NextDouble()), TimeProvider.System, cancellationToken);
        }
    }
}
