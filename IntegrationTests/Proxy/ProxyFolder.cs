using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A folder in which the real executable runs, and what is said to it over its control socket.</summary>
internal sealed class ProxyFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");
    private long _generation;

    public string Path => _folder.FullName;

    public string Control => System.IO.Path.Combine(Path, "control.sock");

    public string State => System.IO.Path.Combine(Path, "state");

    public static ProcessStartInfo Executable(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(ProxyProcess.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    public Task<StartedProxy> StartAsync(params (string Name, string Value)[] environment)
    {
        var start = environment.Any(variable => variable.Name == "WUNDERPROXY_LISTEN")
            ? Executable()
            : Executable("--listen", "127.0.0.1:0", "--control", Control, "--state-dir", State);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return StartedProxy.StartAsync(start);
    }

    /// <summary>Gives the Proxy a snapshot newer than all before.</summary>
    public async Task PutAsync(IPEndPoint backend, Action<ApplicationSnapshot>? change = null)
    {
        using var control = Connect();
        _generation++;
        var snapshot = new ApplicationSnapshot
        {
            Application = "shop",
            Installation = "i1",
            Generation = _generation,
            Fence = _generation,
            Target = RunningProxy.TargetAt(backend),
        };
        change?.Invoke(snapshot);
        var body = JsonSerializer.Serialize(snapshot, ContractsJson.Default.ApplicationSnapshot);
        using var answer = await control.PutAsync("http://control/applications/shop", new StringContent(body));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    public async Task<ProxyStatus> StatusAsync()
    {
        using var control = Connect();
        return JsonSerializer.Deserialize(await control.GetStringAsync(new Uri("http://control/status")), ContractsJson.Default.ProxyStatus)!;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private HttpClient Connect() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Control), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });
}
