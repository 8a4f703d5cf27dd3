using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A Proxy with an active release, and another one that may stand by. Each answers its name and, in headers, what it has got.</summary>
internal sealed class StandbyProxy : IAsyncDisposable
{
    public const string ActiveName = "active";
    public const string StandbyName = "standby";
    public const string Token = "a-token-of-more-than-16-characters";

    /// <summary>The headers that the release has got, in the answer.</summary>
    public const string Got = "X-Got";

    private StandbyProxy(RunningProxy proxy, GrpcBackend active, GrpcBackend standby) => (Proxy, Active, Standby) = (proxy, active, standby);

    public RunningProxy Proxy { get; }

    public GrpcBackend Active { get; }

    public GrpcBackend Standby { get; private set; }

    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    public static byte[] Key { get; } = [.. Enumerable.Range(0, Canary.KeyBytes).Select(i => (byte)i)];

    public static async Task<StandbyProxy> StartAsync(Func<ProxyOptions, ProxyOptions>? change = null)
    {
        var started = new StandbyProxy(await RunningProxy.StartAsync(change), await StartBackendAsync(ActiveName), await StartBackendAsync(StandbyName));
        await started.Proxy.SwitchAsync(started.Active.Address, ActiveName);
        return started;
    }

    public static async Task<GrpcBackend> StartBackendAsync(string name, int port = 0)
    {
        var backend = await GrpcBackend.StartAsync(name, port, HttpProtocols.Http1);
        backend.Answer = context =>
        {
            context.Response.Headers[Got] = string.Join(' ', context.Request.Headers.Keys.Where(header => header.StartsWith("Wunder", StringComparison.OrdinalIgnoreCase)).Append("nothing-else"));
            context.Response.ContentLength = name.Length;
            return context.Response.WriteAsync(name);
        };
        return backend;
    }

    /// <summary>The snapshot in which the second release stands by for the token.</summary>
    public ApplicationSnapshot Snapshot(Action<Standby>? change = null)
    {
        var snapshot = Proxy.SnapshotOf(RunningProxy.TargetAt(Active.Address, ActiveName));
        snapshot.Standby = new Standby { Target = RunningProxy.TargetAt(Standby.Address, StandbyName), Preview = new Preview { TokenHashes = [HashOf("another token that is taken"), HashOf(Token)] } };
        change?.Invoke(snapshot.Standby);
        return snapshot;
    }

    /// <summary>The snapshot in which it gets a share of the clients.</summary>
    public ApplicationSnapshot Share(int percent, string? header = null) => Snapshot(standby => standby.Canary = new Canary { Percent = percent, Header = header, Key = Key });

    /// <summary>Sends a snapshot, and expects that the Proxy takes it.</summary>
    public async Task<ApplicationState> ServeAsync(ApplicationSnapshot snapshot)
    {
        var (status, body) = await Proxy.PutAsync(snapshot);
        Assert.True(status == HttpStatusCode.OK, body);
        return JsonSerializer.Deserialize(body, ContractsJson.Default.ApplicationState)!;
    }

    /// <summary>A client that keeps cookies, and nothing else, from one request to the next.</summary>
    public HttpClient Client(Version? version = null) => new(new SocketsHttpHandler { UseProxy = false, UseCookies = true, CookieContainer = new CookieContainer() })
    {
        BaseAddress = new Uri($"http://{Proxy.Address}"),
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Ends the release that stands by: its port refuses connections from then on.</summary>
    public async Task EndStandbyAsync() => await Standby.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Active.DisposeAsync();
        await Standby.DisposeAsync();
    }
}
