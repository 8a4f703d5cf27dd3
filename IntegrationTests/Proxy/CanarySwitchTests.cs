using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Releases stand by with a share of the clients, are withdrawn and replace one another under load, and no request fails or goes to a release that has no traffic.</summary>
public sealed class CanarySwitchTests : IAsyncDisposable
{
    private const int Rounds = 9;
    private const int RequestsBetween = 40;
    private const int UploadBytes = 100_000;

    private readonly List<GrpcBackend> _releases = [];
    private readonly CancellationTokenSource _end = new();
    private RunningProxy _proxy = null!;
    private int _active;
    private int _answered;

    // Which releases requests may have gone to since then, one change after the other.
    private volatile ImmutableList<string> _served = [];

    public async ValueTask DisposeAsync()
    {
        _end.Dispose();
        await _proxy.DisposeAsync();
        foreach (var release in _releases)
        {
            await release.DisposeAsync();
        }
    }

    [Fact]
    public async Task No_request_fails_while_shares_change_and_releases_are_withdrawn_and_switched_to()
    {
        _proxy = await RunningProxy.StartAsync();
        foreach (var name in new[] { "0", "1" })
        {
            var release = await GrpcBackend.StartAsync(name, protocol: HttpProtocols.Http1);
            release.Answer = context => AnswerAsync(context, release.Name);
            _releases.Add(release);
        }

        await ServeAsync(0, null, 0);
        List<Task> clients = [.. Enumerable.Range(0, 8).Select(i => Task.Run(() => AskAsync(i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20), CancellationToken.None))];
        for (var round = 0; round < Rounds; round++)
        {
            var next = 1 - _active;
            await ServeAsync(_active, next, 30);
            await AnsweredAsync(clients);
            await ServeAsync(_active, next, 70);
            await AnsweredAsync(clients);
            _active = round % 3 == 2 ? _active : next;
            await ServeAsync(_active, null, 0);
            await AnsweredAsync(clients);
        }

        await _end.CancelAsync();
        await Task.WhenAll(clients);
        var state = await _proxy.StateAsync();
        Assert.Equal(0, state.Total.ByStatus.Where(status => status.Key >= 400).Sum(status => status.Value));
        Assert.Equal(_answered, state.Total.Requests);
        Assert.True(state.Targets.Sum(target => target.Standby?.Canary ?? 0) > 0);
    }

    // One container for each release, for as long as it lives.
    private async Task ServeAsync(int active, int? standby, int percent)
    {
        var snapshot = _proxy.SnapshotOf(TargetOf(active));
        snapshot.Standby = standby is { } shown
            ? new Standby { Target = TargetOf(shown), Canary = new Canary { Percent = percent, Key = StandbyProxy.Key } }
            : null;
        var names = $"{active}{standby}";
        _served = _served.Add(names + _served.LastOrDefault());
        var (status, body) = await _proxy.PutAsync(snapshot);
        Assert.True(status == HttpStatusCode.OK, body);
        _served = _served.Add(names);
    }

    private Target TargetOf(int release) => RunningProxy.TargetAt(_releases[release].Address, $"c{release}");

    private Task AnsweredAsync(List<Task> clients)
    {
        var enough = Volatile.Read(ref _answered) + RequestsBetween;
        return Eventually.HoldsAsync("requests are answered", () => Volatile.Read(ref _answered) >= enough || clients.Exists(client => client.IsCompleted));
    }

    private async Task AskAsync(Version version)
    {
        while (!_end.IsCancellationRequested)
        {
            // Visitors come and go; each makes a few requests.
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, CookieContainer = new CookieContainer() })
            {
                BaseAddress = new Uri($"http://{_proxy.Address}"),
                DefaultRequestVersion = version,
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            for (var i = 0; i < 4; i++)
            {
                var before = _served.Count;
                var name = await AskOnceAsync(client, isUpload: i % 2 == 0);

                // A release that was withdrawn or replaced before the request began gets none.
                Assert.Contains(name, string.Concat(_served.Skip(before - 1)), StringComparison.Ordinal);
                Interlocked.Increment(ref _answered);
            }
        }
    }

    private static async Task<string> AskOnceAsync(HttpClient client, bool isUpload)
    {
        var bytes = isUpload ? RandomNumberGenerator.GetBytes(UploadBytes) : [];
        using var content = new ByteArrayContent(bytes);
        using var answer = isUpload ? await client.PostAsync(new Uri("/upload", UriKind.Relative), content, CancellationToken.None) : await client.GetAsync(new Uri("/page", UriKind.Relative), CancellationToken.None);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), await answer.Content.ReadAsStringAsync(CancellationToken.None));
        return answer.Headers.GetValues("X-Release").Single();
    }

    private static async Task AnswerAsync(HttpContext context, string name)
    {
        context.Response.Headers["X-Release"] = name;
        await context.Response.WriteAsync(Convert.ToHexString(await SHA256.HashDataAsync(context.Request.Body)));
    }
}
