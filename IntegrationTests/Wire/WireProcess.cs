using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What a process has in use.</summary>
/// <param name="Descriptors">Open connections and pipes.</param>
/// <param name="LiveBytes">Least memory that its collector kept within some moments.</param>
internal sealed record Usage(int Descriptors, long LiveBytes);

/// <summary>The real executable as a process of its own, whose descriptors and memory are its own too.</summary>
internal sealed class WireProcess : IAsyncDisposable
{
    private const int Samples = 100;
    private const string Serves = "serves on ";

    // So little memory that what is left behind a hundred thousand times doesn't fit.
    private static readonly Dictionary<string, string?> Environment = new() { ["DOTNET_GCHeapHardLimit"] = "0x6000000", ["DOTNET_GCgen0size"] = "0x200000" };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");
    private readonly RunningProcess _process;
    private readonly HttpClient _control;

    private WireProcess()
    {
        _process = RunningProcess.Start(
            ProxyProcess.Executable, ["--listen", "127.0.0.1:0", "--control", Control, "--state-dir", Path.Combine(_folder.FullName, "state")], Environment);
        _control = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync }) { BaseAddress = new Uri("http://control") };
    }

    public IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

    /// <summary>Open connections and pipes; libraries are files that stay open when they are first needed.</summary>
    public int Descriptors =>
        Directory.GetFiles($"/proc/{_process.Id.ToString(CultureInfo.InvariantCulture)}/fd").Count(path => new FileInfo(path).LinkTarget?.StartsWith('/') == false);

    private string Control => Path.Combine(_folder.FullName, "control.sock");

    public static async Task<WireProcess> StartAsync()
    {
        var process = new WireProcess();
        var address = await Eventually.FindAsync("the Proxy serves", _ => Task.FromResult(process._process.Output.Split(Serves).ElementAtOrDefault(1)));
        process.Address = IPEndPoint.Parse(address.Split(',')[0]);
        return process;
    }

    public async Task SwitchAsync(IPEndPoint address)
    {
        var snapshot = new ApplicationSnapshot { Application = "shop", Installation = "i1", Generation = 1, Fence = 1, Target = RunningProxy.TargetAt(address) };
        using var answer = await _control.PutAsync("/applications/shop", JsonContent.Create(snapshot, ContractsJson.Default.ApplicationSnapshot));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    /// <summary>What is in use once no request is under way any more.</summary>
    public async Task<Usage> UsageAsync()
    {
        await Eventually.HoldsAsync("no request is under way", async _ => (await StatusAsync()).Applications[0].Targets[0] is { InFlight: 0, Streams: 0 });
        var least = long.MaxValue;
        for (var sample = 0; sample < Samples; sample++)
        {
            least = Math.Min(least, (await StatusAsync()).HeapSizeBytes);
        }

        return new Usage(Descriptors, least);
    }

    public async ValueTask DisposeAsync()
    {
        _control.Dispose();
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task<ProxyStatus> StatusAsync() => (await _control.GetFromJsonAsync("/status", ContractsJson.Default.ProxyStatus))!;

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Control), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }
}
