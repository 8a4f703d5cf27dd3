using System.Net;
using System.Reflection;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Control;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Peers;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>A whole Proxy: state, public server and control server, started and stopped in the right order.</summary>
internal sealed partial class ProxyHost : IAsyncDisposable
{
    private readonly ProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ProxyHost> _logger;
    private readonly DescriptorLimit _descriptors;
    // Nobody can connect anew until the next Proxy is there, which waits for the end of this one.
    private static readonly TimeSpan WebSocketsLimit = TimeSpan.FromSeconds(5);

    private readonly ClientConnections _connections;
    private readonly BufferStore _buffers;
    private readonly ServiceProvider _services;
    private readonly StateDirectory _state;
    private readonly TargetTable _table;
    private readonly HostService _service;
    private readonly ApplicationRegistry _registry;
    private readonly AccessLog? _accessLog;
    private readonly OtherHosts? _peers;
    private readonly PublicApplication _application;
    private readonly CertificateFolder? _certificates;
    private readonly PublicServer _public;
    private readonly ControlServer _control;
    private readonly IdleMemory _memory;
    private readonly TrafficClock _clock;
    private readonly FormerTraffic _former;
    private readonly DateTimeOffset _startedAt;

    private ProxyHost(ProxyOptions options, StateDirectory state, AccessLog? accessLog, OtherHosts? peers, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _state = state;
        _time = time;
        _logger = loggers.CreateLogger<ProxyHost>();
        _startedAt = time.GetUtcNow();
        _descriptors = new DescriptorLimit(time);
        IReadOnlyList<IPNetwork> trusted = [.. options.TrustedProxies, .. options.Peers?.Networks ?? []];
        _connections = new ClientConnections(
            _descriptors, options.MaxConnections, options.MaxConnectionsPerClient is { } most ? new ConnectionsByClient(most, trusted) : null);
        _services = new ServiceCollection().AddSingleton(loggers).AddLogging().AddSingleton(time).BuildServiceProvider();
        _buffers = new BufferStore(BufferCaps.Of(options), _connections, time, loggers.CreateLogger<BufferStore>());
        _accessLog = accessLog;
        _peers = peers;

        var rules = new ForwardingRules
        {
            Trusted = new TrustedProxies(trusted),
            SpeaksForwarded = options.Forwarded,
            AnswersWithId = options.AnswerRequestId,
            TimesTargets = accessLog is not null,
        };
        var acme = new AcmeDesk(time);
        _table = new TargetTable(_connections.Running, time);
        _service = new HostService(state.WriteHostDrain, time);
        var end = new RequestEnd(_table, _accessLog, new ForwardingLog(loggers.CreateLogger<ForwardingLog>(), time));
        var handler = new RequestHandler(_table, _service, new RequestHold(_table, time), end, acme, _peers);
        _application = new PublicApplication(handler, rules, _buffers, time);
        _registry = new ApplicationRegistry(_table, state, new TargetProbe(time, TargetProbe.Direct), loggers.CreateLogger<ApplicationRegistry>());
        var automatic = new AutomaticFolder(Path.Combine(options.StateDirectory, "certificates"));
        _certificates = options.ListenTls.Count > 0
            ? new CertificateFolder(options.Certificates, options.ClientAuthorities, time, loggers.CreateLogger<CertificateFolder>(), automatic)
            : null;
        _public = new PublicServer(
            options, rules.Trusted, _certificates is { } certificates ? host => certificates.Choose(host, _table.AsksClient(host)) : null, acme, _connections, _services, time, loggers);
        _memory = new IdleMemory(_connections, time);
        _clock = new TrafficClock(_table.Look, time);
        _former = new FormerTraffic(Path.Combine(options.StateDirectory, "traffic.json"));
        _control = new ControlServer(options.ControlSocket, new ControlApi(_registry, new AcmeApi(_registry, acme, automatic, _certificates), _service, _former, StatusOf), loggers);
    }

    /// <summary>Version of the Proxy.</summary>
    public static string Version { get; } =
        typeof(ProxyHost).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The public addresses, with the ports that were chosen.</summary>
    public IReadOnlyList<string> Listening => _public.Listening;

    /// <summary>The public addresses for TLS, with the ports that were chosen.</summary>
    public IReadOnlyList<string> ListeningTls => _public.ListeningTls;

    /// <summary>Starts a Proxy. When this returns, it serves by what was written before, and can be controlled.</summary>
    /// <param name="options">What it is told.</param>
    /// <param name="output">The standard output: gets the line of each request, if it is told to write them there.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="StartException">Something is in the way.</exception>
    public static async Task<ProxyHost> StartAsync(
        ProxyOptions options, Stream output, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var peers = options.Peers is { } others ? new OtherHosts(others, KeyOf(others), time) : null;
        var file = OpenLog(options, output);
        var host = new ProxyHost(options, OpenState(options.StateDirectory, time, loggers), file is null ? null : new AccessLog(options.AccessLogFormat, file, time, loggers.CreateLogger<AccessLog>()), peers, time, loggers);
        try
        {
            await host.StartAsync(cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no new connection, tells WebSockets to close within 5 s, and lets running requests end, up to the time allowed; what runs then is cut.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Stopping(_options.StopTimeout.TotalSeconds);
        _table.CloseWebSockets(_options.StopTimeout < WebSocketsLimit ? _options.StopTimeout : WebSocketsLimit);
        using var limit = new CancellationTokenSource(_options.StopTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await _public.StopAsync(either.Token);
        _former.Save(_table.ReportRecent());
        Stopped();
    }

    /// <summary>Opens the file of the access log anew, for it was renamed.</summary>
    public void ReopenLog() => _accessLog?.Reopen();

    /// <summary>Ends at once what still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _public.StopAsync(now.Token);
        _public.Dispose();
        _peers?.Dispose();
        _buffers.Dispose();
        _certificates?.Dispose();
        _descriptors.Dispose();
        _memory.Dispose();
        _clock.Dispose();
        await _control.DisposeAsync();
        _registry.Dispose();
        _state.Dispose();
        if (_accessLog is not null)
        {
            await _accessLog.DisposeAsync();
        }

        await _services.DisposeAsync();
    }

    private static AccessLogFile? OpenLog(ProxyOptions options, Stream output)
    {
        try
        {
            return options.AccessLog is not { } path ? null : path == ProxyOptions.StandardOutput ? new AccessLogFile(output) : new AccessLogFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(ExitCode.CannotLog, $"The access log {options.AccessLog} can't be opened: {e.Message} Name a file that this user may write with --access-log.", e);
        }
    }

    private static byte[] KeyOf(PeerOptions peers)
    {
        try
        {
            var key = File.ReadAllText(peers.KeyFile).Trim();
            return key.Length >= PeerOptions.LeastKey
                ? Encoding.UTF8.GetBytes(key)
                : throw new StartException(ExitCode.Usage, $"The key of the other hosts in {peers.KeyFile} is too short. Write at least {PeerOptions.LeastKey} random characters into it, the same on each host.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(ExitCode.Usage, $"The key of the other hosts in {peers.KeyFile} can't be read: {e.Message} Name a file that this user may read with --peer-key.", e);
        }
    }

    private static StateDirectory OpenState(string folder, TimeProvider time, ILoggerFactory loggers)
    {
        try
        {
            return StateDirectory.Open(folder, time, loggers.CreateLogger<StateDirectory>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartException(
                ExitCode.CannotKeepState,
                $"The state directory {folder} can't be used: {e.Message} Another Proxy may use it; else name a writable one with --state-dir.",
                e);
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _registry.Load();
        _service.Load(_state.ReadHostDrain());
        await _public.StartAsync(_application, cancellationToken);
        await _control.StartAsync(cancellationToken);
        Started(Version, string.Join(", ", [.. Listening, .. ListeningTls.Select(address => $"{address} (TLS)")]), _options.ControlSocket);
    }

    private ProxyStatus StatusOf(IReadOnlyList<ApplicationState> applications) => new()
    {
        Version = Version,
        ProcessId = Environment.ProcessId,
        StartedAt = _startedAt,
        Listening = Listening,
        ListeningTls = ListeningTls,
        Certificates = _certificates?.Report() ?? [],
        HostDrain = _service.Report(),
        HeapSizeBytes = GC.GetTotalMemory(forceFullCollection: false),
        Connections = _connections.Report(),
        RefusedConnections = _connections.ReportRefused(),
        AccessLogDropped = _accessLog?.Dropped,
        Buffers = _buffers.Report(),
        Peers = _peers?.Report(),
        PeersRefused = _peers?.Refused,
        Applications = applications,
    };

    [LoggerMessage(404, LogLevel.Information, "Proxy {Version} serves on {Listening}, controlled at {ControlSocket}")]
    private partial void Started(string version, string listening, string controlSocket);

    [LoggerMessage(405, LogLevel.Information, "Stopping: no new connections, running requests have {Seconds} s")]
    private partial void Stopping(double seconds);

    [LoggerMessage(406, LogLevel.Information, "Stopped")]
    private partial void Stopped();
}
