using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.ProxyClient;

namespace Wunderproxy.IntegrationTests.Cli;

public sealed class RunCommandTests : IAsyncLifetime
{
    private readonly CommandRun _run = new();
    private readonly CancellationTokenSource _stop = new();
    private ControlSocket _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _run.Reconciler = _ => new IdleReconciler();
        _proxy = await ControlSocket.AnswerAsync(200, """{"Version":"1","ProcessId":1,"StartedAt":"2026-01-01T00:00:00Z","HeapSizeBytes":0}""");
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _stop.Dispose();
        _run.Dispose();
    }

    [Fact]
    public async Task Controller_answers_and_stops_when_it_is_told_to()
    {
        var running = RunCommand.RunAsync(Settings(), _run.Context, _stop.Token);

        Assert.Equal(HttpStatusCode.OK, await StatusAsync());
        await _stop.CancelAsync();

        Assert.Equal(ExitCode.Ok, await running);
    }

    [Fact]
    public async Task Second_controller_for_the_application_is_told_who_runs()
    {
        var running = RunCommand.RunAsync(Settings(), _run.Context, _stop.Token);
        await StatusAsync();

        Assert.Equal(ExitCode.AnotherController, await RunCommand.RunAsync(Settings(), _run.Context, default));

        Assert.Contains($"Another Controller runs for shop (pid {Environment.ProcessId})", _run.Errors, StringComparison.Ordinal);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Taken_api_address_is_named_and_no_proxy_is_started()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var settings = Settings($"--api={taken.LocalEndpoint}", $"--proxy-control={_run.At("absent.sock")}");

        Assert.Equal(ExitCode.PortTaken, await RunCommand.RunAsync(settings, _run.Context, default));

        Assert.Contains($"{taken.LocalEndpoint}", _run.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_run.At("state/proxy.log")));
    }

    [Fact]
    public async Task State_directory_that_cannot_be_made_is_named()
    {
        var file = _run.Write("file", "");

        Assert.Equal(ExitCode.NotAccessible, await RunCommand.RunAsync(Settings($"--state-dir={file}/state"), _run.Context, default));

        Assert.Contains($"--state-dir '{file}/state'", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_manager_is_told_when_the_first_look_around_is_done_and_when_it_stops()
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(_run.At("notify.sock")));
        _run.Environment["NOTIFY_SOCKET"] = _run.At("notify.sock");

        var running = RunCommand.RunAsync(Settings(), _run.Context, _stop.Token);

        Assert.Equal("READY=1", await ReceiveAsync(manager));
        await _stop.CancelAsync();
        Assert.Equal("STOPPING=1", await ReceiveAsync(manager));
        Assert.Equal(ExitCode.Ok, await running);
    }

    [Fact]
    public async Task Unexpected_end_of_the_reconciler_is_not_a_normal_end()
    {
        _run.Reconciler = _ => new IdleReconciler { Failure = new InvalidOperationException("broken invariant") };

        var code = await _run.Async([.. Arguments, "--proxy-control", _proxy.Path]);

        Assert.Equal(ExitCode.Unexpected, code);
        Assert.Contains("broken invariant", _run.Errors, StringComparison.Ordinal);
    }

    private string[] Arguments => ["run", _run.At("store"), "shop", "shop", "--state-dir", _run.At("state"), "--api", "unix:" + _run.At("api.sock")];

    private RunSettings Settings(params string[] options)
    {
        var given = new Dictionary<Setting, string>
        {
            [RunOptions.StateDir] = _run.At("state"),
            [RunOptions.Api] = "unix:" + _run.At("api.sock"),
            [RunOptions.ProxyControl] = _proxy.Path,
        };
        foreach (var option in options)
        {
            var (name, value) = (option[2..option.IndexOf('=')], option[(option.IndexOf('=') + 1)..]);
            given[RunOptions.All.Single(setting => setting.Name == name)] = value;
        }

        var reader = new SettingReader(given, _run.Environment.GetValueOrDefault);
        var settings = RunSettingsReader.Read(reader, new RunArguments(_run.At("store"), "shop", "shop"));
        Assert.Empty(reader.Errors);
        return settings;
    }

    private async Task<HttpStatusCode> StatusAsync()
    {
        using var handler = new SocketsHttpHandler { ConnectCallback = ConnectAsync };
        using var client = new HttpClient(handler);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri("http://api/status"), deadline.Token);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
                {
                    return answer.StatusCode;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, deadline.Token);
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_run.At("api.sock")), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[256];
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, deadline.Token));
    }

    /// <summary>Has nothing to do until it is stopped.</summary>
    private sealed class IdleReconciler : IReconciler
    {
        private readonly FakeOperations _operations = new();

        public Exception? Failure { get; init; }

        public Task Started => Task.CompletedTask;

        public StatusDocument Status => _operations.Status;

        public Task NextStatus => _operations.NextStatus;

        public bool IsAlive => true;

        public PlanExplanation Explain() => _operations.Explain();

        public Task<DrainOutcome> LimitDrainAsync(DrainOrder order, CancellationToken cancellationToken) => _operations.LimitDrainAsync(order, cancellationToken);

        public Task<History> ReadHistoryAsync(CancellationToken cancellationToken) => _operations.ReadHistoryAsync(cancellationToken);

        public Task GetAcquaintedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task RunAsync(CancellationToken cancellationToken) =>
            Failure is null ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken) : Task.FromException(Failure);

        public Task<Admission> LaunchAsync(string hash, CancellationToken cancellationToken) => _operations.LaunchAsync(hash, cancellationToken);

        public Task<Admission> SwitchAsync(string hash, CancellationToken cancellationToken) => _operations.SwitchAsync(hash, cancellationToken);

        public Task<Admission> SetMaintenanceAsync(bool up, CancellationToken cancellationToken) => _operations.SetMaintenanceAsync(up, cancellationToken);

        public Task<Admission> SetCanaryAsync(int percent, CancellationToken cancellationToken) => _operations.SetCanaryAsync(percent, cancellationToken);

        public Task<Admission> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => _operations.SetHostDrainAsync(isDrained, cancellationToken);

        public Task<Admission> SetPausedAsync(bool isPaused, CancellationToken cancellationToken) => _operations.SetPausedAsync(isPaused, cancellationToken);

        public Task<Admission> AbortAsync(CancellationToken cancellationToken) => _operations.AbortAsync(cancellationToken);

        public Task<Admission> RetryAsync(CancellationToken cancellationToken) => _operations.RetryAsync(cancellationToken);

        public Task<DeploymentStatus?> WaitForEndAsync(string deploymentId, CancellationToken cancellationToken) =>
            _operations.WaitForEndAsync(deploymentId, cancellationToken);
    }
}
