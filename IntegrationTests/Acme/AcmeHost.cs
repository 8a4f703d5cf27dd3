using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>One host of an application: its real Proxy, and what keeps its certificates, against a store that others may share.</summary>
internal sealed class AcmeHost : IAsyncDisposable
{
    private readonly IObjectStore _store;
    private readonly AcmeOptions _options;
    private readonly HttpMessageHandler _server;
    private readonly ProxyControlClient _control;
    private readonly TimeProvider _time;
    private CertificateKeeper? _keeper;
    private CancellationTokenSource? _stopping;
    private Task _running = Task.CompletedTask;

    private AcmeHost(IObjectStore store, AcmeOptions options, HttpMessageHandler server, RunningProxy proxy, TimeProvider time)
    {
        (_store, _options, _server, Proxy, _time) = (store, options, server, proxy, time);
        _control = new ProxyControlClient(proxy.Options.ControlSocket, TimeProvider.System);
    }

    public RunningProxy Proxy { get; }

    /// <summary>Which certificates are wanted; a test may change its mind.</summary>
    public WantedCertificates? Wanted { get; set; }

    public FakeLogger<CertificateKeeper> Log { get; } = new();

    public IReadOnlyList<string> Logged => [.. Log.Collector.GetSnapshot().Select(record => record.Message)];

    public CertificateKeeper Keeper => _keeper!;

    /// <summary>A host that a server validates at the addresses that are given.</summary>
    public static async Task<AcmeHost> StartAsync(
        IObjectStore store, AcmeOptions options, HttpMessageHandler server, string http = "127.0.0.1:0", string tls = "127.0.0.1:0", TimeProvider? time = null, params string[] hosts)
    {
        var proxy = await RunningProxy.StartAsync(running => running with
        {
            Listen = [ListenAddress.TryParse(http)!],
            ListenTls = [ListenAddress.TryParse(tls)!],
            Certificates = Path.Combine(running.StateDirectory, "none"),
        });
        return new AcmeHost(store, options, server, proxy, time ?? TimeProvider.System) { Wanted = new WantedCertificates(hosts, hosts, OnDemand: false) };
    }

    /// <summary>Starts what keeps the certificates, as after a restart of the Controller.</summary>
    public void Keep()
    {
        _stopping = new CancellationTokenSource();
        _keeper = new CertificateKeeper(
            new CertificateOwner("shop", "i1"), _options, () => Wanted, new AcmeStore(_store, "shop"), _control, new AcmeNetwork(_server, AcmeClient.Handler(null)), _time, new Random(1), Log);
        _running = _keeper.RunAsync(_stopping.Token);
    }

    /// <summary>Ends it where it is.</summary>
    public async Task StopKeepingAsync()
    {
        if (_stopping is not null)
        {
            await _stopping.CancelAsync();
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stopping.Dispose();
            _stopping = null;
        }
    }

    public AutomaticCertificate Status(string host) => Keeper.Report().Single(certificate => certificate.Host == host);

    /// <summary>Waits until a host's certificate is as expected; the failure has what was logged until then.</summary>
    public async Task UntilAsync(string host, Func<AutomaticCertificate, bool> isAsExpected, TimeSpan? deadline = null)
    {
        try
        {
            await Eventually.HoldsAsync($"{host} is as expected", () => Keeper.Report().FirstOrDefault(certificate => certificate.Host == host) is { } found && isAsExpected(found), deadline);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{string.Join('\n', Logged)}\n{Keeper.Report().FirstOrDefault(certificate => certificate.Host == host)}\n{_running.Exception}", late);
        }
    }

    /// <summary>The certificate that the Proxy shows a client; absent: it shows none.</summary>
    public async Task<X509Certificate2?> ShownAsync(string host)
    {
        try
        {
            await using var client = await ConnectAsync(host);
            return client.Shown;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            return null;
        }
    }

    /// <summary>A client's connection over TLS.</summary>
    public Task<SecureClient> ConnectAsync(string host) => SecureClient.ConnectAsync(Proxy.TlsAddress, host);

    /// <summary>Asks over plain HTTP.</summary>
    public Task<string> AskAsync(string host, string path) => Proxy.ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

    public async ValueTask DisposeAsync()
    {
        await StopKeepingAsync();
        _keeper?.Dispose();
        _control.Dispose();
        await Proxy.DisposeAsync();
    }
}
