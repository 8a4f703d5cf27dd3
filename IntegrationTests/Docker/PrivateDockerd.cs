using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>A dockerd for one test, which may be stopped and paused as nobody else uses it. It has no network.</summary>
internal sealed class PrivateDockerd : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly string _directory;
    private readonly RunningProcess _process;

    private PrivateDockerd(string directory) => (_directory, _process) = (directory, Run(directory));

    public string Address => "unix://" + Socket(_directory);

    public static async Task<PrivateDockerd> StartAsync(LabHost lab)
    {
        var dockerd = new PrivateDockerd(lab.NewDirectory("dockerd"));
        try
        {
            await Eventually.HoldsAsync("dockerd answers", dockerd.AnswersAsync, Deadline);
            return dockerd;
        }
        catch
        {
            await dockerd.DisposeAsync();
            throw;
        }
    }

    public void Pause() => _process.Pause();

    public void Resume() => _process.Resume();

    public async Task StopAsync()
    {
        _process.Terminate();
        await _process.WaitForExitAsync(Deadline);
    }

    public async ValueTask DisposeAsync()
    {
        // Only a dockerd that ends by itself takes its containerd along.
        Resume();
        await StopAsync();
        await _process.DisposeAsync();
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) => await EngineEndpoint.Parse(Address).ConnectAsync(token),
        });
        using var answer = await http.GetAsync(new Uri("http://dockerd/_ping"), cancellationToken);
        return answer.IsSuccessStatusCode;
    }

    private static string Socket(string directory) => Path.Combine(directory, "docker.sock");

    private static RunningProcess Run(string directory)
    {
        var config = Path.Combine(directory, "daemon.json");
        File.WriteAllLines(config, ["{}"]);

        // Without a bridge of its own a dockerd removes docker0, also another's: hence the namespace.
        return RunningProcess.Start("unshare",
        [
            "--net", "dockerd",
            "--config-file", config, "--data-root", Path.Combine(directory, "data"), "--exec-root", Path.Combine(directory, "exec"),
            "--pidfile", Path.Combine(directory, "dockerd.pid"), "--host", "unix://" + Socket(directory),
            "--bridge", "none", "--iptables=false", "--ip-forward=false",
        ]);
    }
}
