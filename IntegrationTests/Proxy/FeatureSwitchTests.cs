using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Tls;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Whatever an application has switched on, traffic moves from release to release under load, and no request fails or goes to a release that was replaced before it came.</summary>
public sealed class FeatureSwitchTests : IAsyncDisposable
{
    private const int Releases = 3;
    private const int Switches = 9;
    private const int RequestsBetween = 40;
    private const int UploadBytes = 100_000;

    private static readonly string Page = string.Concat(Enumerable.Range(0, 3000).Select(i => $"<p>{i * 7919 % 1000} of {i}</p>\n"));

    private readonly TestAuthority _authority = new();
    private readonly List<GrpcBackend> _releases = [];
    private RunningProxy? _proxy;
    private int _begun;
    private int _ended;
    private int _answered;

    /// <summary>What an application may switch on, each with what the Proxy is told.</summary>
    internal static IReadOnlyDictionary<string, Action<ApplicationSnapshot>> Features { get; } = new Dictionary<string, Action<ApplicationSnapshot>>(StringComparer.Ordinal)
    {
        ["nothing"] = _ => { },
        ["Buffering"] = snapshot => snapshot.Buffering = new Buffering(),
        ["Compression"] = snapshot => snapshot.Compression = new Compression(),
        ["Protocol"] = snapshot => snapshot.Target = snapshot.Target! with { Protocol = ApplicationProtocol.H2c, Probe = new HealthProbe { Protocol = ApplicationProtocol.H2c } },
        ["Limits"] = snapshot => snapshot.Limits = new Limits { MaxRequestBody = 2 * UploadBytes, MaxAnswerBody = 1 << 30, MaxRequestsInFlight = 4 },
        ["Hold"] = snapshot => snapshot.HoldTimeout = TimeSpan.FromSeconds(10),
        ["Tls"] = snapshot => snapshot.Tls = new TlsSettings { Hsts = new Hsts() },
        ["Routing"] = snapshot => snapshot.Routing = new Routing { Hosts = [TestAuthority.Host], PathPrefix = "/shop", StripPathPrefix = true },
        ["ErrorPages"] = snapshot => snapshot.ErrorPages = new ErrorPages { Pages = new Dictionary<string, string> { ["5xx"] = "<h1>{status}</h1>" }, ReplaceAnswers = true },
    };

    public static TheoryData<string> Names => [.. Features.Keys, "all of them"];

    public async ValueTask DisposeAsync()
    {
        await (_proxy?.DisposeAsync() ?? default);
        foreach (var release in _releases)
        {
            await release.DisposeAsync();
        }

        _authority.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task No_request_fails_while_releases_replace_one_another(string feature)
    {
        Action<ApplicationSnapshot>[] changes = Features.TryGetValue(feature, out var change) ? [change] : [.. Features.Values];
        await StartAsync(isH2c: Features["Protocol"] == change || changes.Length > 1);
        await SwitchAsync(0, changes);
        using var end = new CancellationTokenSource();
        List<Task> clients = [.. Clients().Select(client => Task.Run(() => AskAsync(client, end.Token), CancellationToken.None))];

        for (var i = 1; i <= Switches; i++)
        {
            await AnsweredAsync(clients);
            _begun = i;
            await SwitchAsync(i, changes);
            _ended = i;
        }

        await AnsweredAsync(clients);
        await end.CancelAsync();
        await Task.WhenAll(clients);
        var state = await _proxy!.StateAsync();
        Assert.Equal(0, state.Total.ByStatus.Where(status => status.Key >= 400).Sum(status => status.Value));
    }

    private async Task StartAsync(bool isH2c)
    {
        _authority.Write(TestAuthority.Host, TestAuthority.Host);
        for (var i = 0; i < Releases; i++)
        {
            var release = await GrpcBackend.StartAsync($"release {i}", protocol: isH2c ? HttpProtocols.Http2 : HttpProtocols.Http1);
            release.Answer = context => AnswerAsync(context, release.Name);
            _releases.Add(release);
        }

        _proxy = await RunningProxy.StartAsync(options => _authority.Offer(options) with { AccessLog = ProxyOptions.StandardOutput, AccessLogFormat = AccessLogFormat.Json });
    }

    private Task<ApplicationState> SwitchAsync(int number, IReadOnlyList<Action<ApplicationSnapshot>> changes) =>
        _proxy!.SwitchAsync(_releases[number % Releases].Address, $"c{number}", snapshot =>
        {
            foreach (var change in changes)
            {
                change(snapshot);
            }
        });

    private Task AnsweredAsync(List<Task> clients)
    {
        var enough = Volatile.Read(ref _answered) + RequestsBetween;
        return Eventually.HoldsAsync("requests are answered", () => Volatile.Read(ref _answered) >= enough || clients.Exists(client => client.IsCompleted));
    }

    // Two connections of each kind.
    private IEnumerable<HttpClient> Clients()
    {
        for (var i = 0; i < 2; i++)
        {
            yield return _authority.ClientFor(_proxy!.TlsAddress, HttpVersion.Version11);
            yield return _authority.ClientFor(_proxy!.TlsAddress, HttpVersion.Version20);
            yield return PlainClient(HttpVersion.Version11);
            yield return PlainClient(HttpVersion.Version20);
        }
    }

    private HttpClient PlainClient(Version version) => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = new Uri($"http://{_proxy!.Address}"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        DefaultRequestHeaders = { Host = TestAuthority.Host },
    };

    private async Task AskAsync(HttpClient client, CancellationToken end)
    {
        using (client)
        {
            for (var i = 0; !end.IsCancellationRequested; i++)
            {
                var ended = Volatile.Read(ref _ended);
                var name = await (i % 3 == 0 ? UploadAsync(client) : DownloadAsync(client, i % 2 == 0 ? "br" : "gzip"));

                // A release that was replaced before the request began gets none.
                var allowed = Enumerable.Range(ended, Volatile.Read(ref _begun) - ended + 1).Select(number => _releases[number % Releases].Name);
                Assert.Contains(name, allowed);
                Interlocked.Increment(ref _answered);
            }
        }
    }

    private static async Task<string> DownloadAsync(HttpClient client, string coding)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/shop/page") { Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy };
        request.Headers.AcceptEncoding.ParseAdd(coding);
        using var answer = await client.SendAsync(request, CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Page, await CompressedContent.ReadAsync(answer.Content));
        return answer.Headers.GetValues("X-Release").Single();
    }

    private static async Task<string> UploadAsync(HttpClient client)
    {
        var bytes = RandomNumberGenerator.GetBytes(UploadBytes);
        using var content = new ByteArrayContent(bytes);
        using var answer = await client.PostAsync(new Uri("/shop/upload", UriKind.Relative), content, CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), await answer.Content.ReadAsStringAsync(CancellationToken.None));
        return answer.Headers.GetValues("X-Release").Single();
    }

    private static async Task AnswerAsync(HttpContext context, string name)
    {
        context.Response.Headers["X-Release"] = name;
        if (context.Request.Method == "POST")
        {
            await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
        }
        else
        {
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync(Page);
        }
    }
}
