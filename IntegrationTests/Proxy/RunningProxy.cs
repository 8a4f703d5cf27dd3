using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The real Proxy in this process, on a free port, with a control socket and a state directory of its own.</summary>
internal sealed class RunningProxy : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly HttpMessageInvoker _control;
    private readonly TimeProvider _time;
    private readonly ConcurrentBag<RawConnection> _clients = [];
    private ProxyHost _host;
    private long _counter;

    private RunningProxy(DirectoryInfo folder, ProxyOptions options, ProxyHost host, OutputStream accessLog, TimeProvider time)
    {
        _folder = folder;
        _time = time;
        _host = host;
        Options = options;
        AccessLog = accessLog;
        _control = new HttpMessageInvoker(new SocketsHttpHandler
        {
            // A kept connection would be one to the Proxy before its restart.
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(options.ControlSocket), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    public ProxyOptions Options { get; }

    public OutputStream AccessLog { get; }

    public IPEndPoint Address => IPEndPoint.Parse(_host.Listening[0]);

    public IPEndPoint TlsAddress => IPEndPoint.Parse(_host.ListeningTls[0]);

    public ProxyHost Host => _host;

    public static async Task<RunningProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? change = null, TimeProvider? time = null)
    {
        var folder = Directory.CreateTempSubdirectory("wp-");
        var options = new ProxyOptions
        {
            Listen = [ListenAddress.TryParse("127.0.0.1:0")!],
            ControlSocket = Path.Combine(folder.FullName, "control.sock"),
            StateDirectory = Path.Combine(folder.FullName, "state"),
        };
        options = change?.Invoke(options) ?? options;
        var accessLog = new OutputStream();
        time ??= TimeProvider.System;
        var host = await ProxyHost.StartAsync(options, accessLog, time, NullLoggerFactory.Instance, CancellationToken.None);
        return new RunningProxy(folder, options, host, accessLog, time);
    }

    /// <summary>Stops the Proxy and starts it again with the same state.</summary>
    public async Task RestartAsync()
    {
        await _host.DisposeAsync();
        _host = await ProxyHost.StartAsync(Options, AccessLog, _time, NullLoggerFactory.Instance, CancellationToken.None);
    }

    public static Target TargetAt(IPEndPoint address, string container = "c1") => new()
    {
        Release = "r-" + container,
        Revision = container,
        ContainerId = container,
        StartedAt = DateTimeOffset.UnixEpoch,
        Address = address.ToString(),
        Probe = new HealthProbe(),
    };

    /// <summary>A target that is asked and probed by HTTP/2.</summary>
    public static Target H2cTargetAt(IPEndPoint address, string container = "c1") =>
        TargetAt(address, container) with { Protocol = ApplicationProtocol.H2c, Probe = new HealthProbe { Protocol = ApplicationProtocol.H2c } };

    /// <summary>A snapshot newer than all before; requests that can't reach its target don't wait for it.</summary>
    public ApplicationSnapshot SnapshotOf(Target? target) =>
        new() { Application = "shop", Installation = "i1", Generation = ++_counter, Fence = _counter, Target = target, HoldTimeout = TimeSpan.Zero };

    /// <summary>Moves traffic, and expects that the Proxy takes it.</summary>
    public async Task<ApplicationState> SwitchAsync(IPEndPoint address, string container = "c1", Action<ApplicationSnapshot>? change = null)
    {
        var snapshot = SnapshotOf(TargetAt(address, container));
        change?.Invoke(snapshot);
        var (status, body) = await PutAsync(snapshot);
        Assert.True(status == HttpStatusCode.OK, body);
        return JsonSerializer.Deserialize(body, ContractsJson.Default.ApplicationState)!;
    }

    public Task<(HttpStatusCode Status, string Body)> PutAsync(ApplicationSnapshot snapshot) =>
        CallAsync(HttpMethod.Put, $"/applications/{snapshot.Application}", Json(snapshot, ContractsJson.Default.ApplicationSnapshot));

    public Task<(HttpStatusCode Status, string Body)> FenceAsync(FenceRequest request) =>
        CallAsync(HttpMethod.Post, "/applications/shop/fence", Json(request, ContractsJson.Default.FenceRequest));

    public Task<(HttpStatusCode Status, string Body)> DrainAsync(DrainRequest request) =>
        CallAsync(HttpMethod.Post, "/applications/shop/drain", Json(request, ContractsJson.Default.DrainRequest));

    public async Task<ApplicationState> StateAsync() =>
        JsonSerializer.Deserialize((await CallAsync(HttpMethod.Get, "/applications/shop")).Body, ContractsJson.Default.ApplicationState)!;

    public async Task<ProxyStatus> StatusAsync() =>
        JsonSerializer.Deserialize((await CallAsync(HttpMethod.Get, "/status")).Body, ContractsJson.Default.ProxyStatus)!;

    public async Task<(HttpStatusCode Status, string Body)> CallAsync(HttpMethod method, string path, string? body = null)
    {
        using var request = new HttpRequestMessage(method, "http://control" + path) { Content = body is null ? null : new StringContent(body) };
        using var response = await _control.SendAsync(request, CancellationToken.None);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public static ControlProblem ProblemIn(string body) => JsonSerializer.Deserialize(body, ContractsJson.Default.ControlProblem)!;

    /// <summary>Waits until the Proxy's own account of the application is as expected.</summary>
    public async Task<ApplicationState> UntilAsync(Func<ApplicationState, bool> isAsExpected)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        while (true)
        {
            var state = await StateAsync();
            if (isAsExpected(state))
            {
                return state;
            }

            Assert.False(limit.IsCancellationRequested, JsonSerializer.Serialize(state, ContractsJson.Default.ApplicationState));
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>A client's connection to the Proxy. It stays open until it or this is disposed; else the garbage collector would close it once a test has no more use for it.</summary>
    public async Task<RawConnection> ConnectAsync()
    {
        var client = await RawConnection.ConnectAsync(Address);
        _clients.Add(client);
        return client;
    }

    /// <summary>Sends bytes on a new connection, and reads until the Proxy closes it.</summary>
    public async Task<string> ExchangeAsync(string request)
    {
        await using var client = await ConnectAsync();
        await client.SendAsync(request);
        return await client.ReadToEndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        foreach (var client in _clients)
            await client.DisposeAsync();
        _control.Dispose();
        _folder.Delete(recursive: true);
    }

    private static string Json<T>(T value, JsonTypeInfo<T> type) => Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(value, type));
}
