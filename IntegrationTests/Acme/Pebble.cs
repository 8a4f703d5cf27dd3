using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>A real ACME server, Let's Encrypt's own for tests, with a resolver for which every name is at one address.</summary>
internal sealed class Pebble : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-pebble-");
    private readonly TestAuthority _authority = new();
    private readonly int _port = FreePort.Next();
    private readonly int _managementPort = FreePort.Next();
    private readonly int _resolverPort = FreePort.Next();
    private readonly int _resolverControl = FreePort.Next();
    private readonly Dictionary<string, string?> _environment;
    private readonly RunningProcess _resolver;
    private RunningProcess? _server;

    private Pebble(string address, int? httpPort, TimeSpan lifetime, IReadOnlyDictionary<string, string?> environment)
    {
        HttpPort = httpPort ?? FreePort.Next();
        _environment = new Dictionary<string, string?>(environment);
        _environment.TryAdd("PEBBLE_VA_NOSLEEP", environment.ContainsKey("PEBBLE_VA_SLEEPTIME") ? "0" : "1");
        var issued = _authority.Issue(["localhost"]);
        TestAuthority.WriteFile(At("server.crt"), issued.Chain);
        TestAuthority.WriteKey(At("server.key"), issued.Key);
        TestAuthority.WriteFile(At("pebble.json"), new JsonObject
        {
            ["pebble"] = new JsonObject
            {
                ["listenAddress"] = $"127.0.0.1:{_port}",
                ["managementListenAddress"] = $"127.0.0.1:{_managementPort}",
                ["certificate"] = At("server.crt"),
                ["privateKey"] = At("server.key"),
                ["httpPort"] = HttpPort,
                ["tlsPort"] = TlsPort,
                ["ocspResponderURL"] = "",
                ["externalAccountBindingRequired"] = false,
                ["certificateValidityPeriod"] = (long)lifetime.TotalSeconds,
            },
        }.ToJsonString());
        _resolver = RunningProcess.Start(
            "pebble-challtestsrv",
            ["-defaultIPv4", address, "-defaultIPv6", "", "-dns01", $"127.0.0.1:{_resolverPort}", "-management", $"127.0.0.1:{_resolverControl}", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
    }

    /// <summary>Port at which it validates over HTTP.</summary>
    public int HttpPort { get; }

    /// <summary>Port at which it validates over TLS.</summary>
    public int TlsPort { get; } = FreePort.Next();

    public Uri DirectoryAddress => new($"https://localhost:{_port}/dir");

    /// <summary>Who vouches for the server.</summary>
    public string AuthorityFile => _authority.RootFile;

    public X509Certificate2Collection Authorities
    {
        get
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(AuthorityFile);
            return authorities;
        }
    }

    /// <summary>What it has said.</summary>
    public string Output => _server!.Output;

    /// <param name="address">Where every name is.</param>
    /// <param name="httpPort">Port at which it validates over HTTP; absent: a free one.</param>
    /// <param name="lifetime">How long its certificates are valid.</param>
    /// <param name="environment">Its knobs.</param>
    public static async Task<Pebble> StartAsync(string address = "127.0.0.1", int? httpPort = null, TimeSpan? lifetime = null, params (string Name, string Value)[] environment)
    {
        var pebble = new Pebble(address, httpPort, lifetime ?? TimeSpan.FromDays(90), environment.ToDictionary(knob => knob.Name, knob => (string?)knob.Value));
        await pebble.StartAsync();
        return pebble;
    }

    /// <summary>Starts it; all that it knew before is gone, its root included.</summary>
    public async Task StartAsync()
    {
        _server = RunningProcess.Start("pebble", ["-config", At("pebble.json"), "-dnsserver", $"127.0.0.1:{_resolverPort}"], _environment);
        using var client = Client();
        await Eventually.HoldsAsync("pebble answers", async cancellationToken => (await client.GetAsync(DirectoryAddress, cancellationToken)).IsSuccessStatusCode);
    }

    public async Task StopAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>The root of what it issues.</summary>
    public async Task<X509Certificate2> RootAsync()
    {
        using var client = Client();
        return X509Certificate2.CreateFromPem(await client.GetStringAsync(new Uri($"https://localhost:{_managementPort}/roots/0")));
    }

    /// <summary>Makes every name be at another address.</summary>
    public async Task MoveHostsAsync(string address)
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsync(new Uri($"http://127.0.0.1:{_resolverControl}/set-default-ipv4"), new StringContent(new JsonObject { ["ip"] = address }.ToJsonString()));
        Assert.True(answer.IsSuccessStatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _resolver.DisposeAsync();
        _authority.Dispose();
        _folder.Delete(recursive: true);
    }

    private string At(string file) => Path.Combine(_folder.FullName, file);

    private HttpClient Client() => new(new SocketsHttpHandler { SslOptions = _authority.OptionsFor("localhost") });
}
