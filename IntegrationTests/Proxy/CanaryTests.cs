using System.Net;
using System.Text;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class CanaryTests : IAsyncLifetime
{
    private const string Cookie = "wunderproxy-canary";
    private const string Closing = "Host: a\r\nConnection: close\r\n";

    private StandbyProxy _shop = null!;

    public async ValueTask InitializeAsync() => _shop = await StandbyProxy.StartAsync(options => options with { TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });

    public ValueTask DisposeAsync() => _shop.DisposeAsync();

    [Fact]
    public async Task Share_of_the_clients_gets_the_release_and_each_client_stays_where_it_is()
    {
        await _shop.ServeAsync(_shop.Share(30));
        var visits = new List<string>();
        for (var i = 0; i < 300; i++)
        {
            using var client = _shop.Client(i % 2 == 0 ? HttpVersion.Version11 : HttpVersion.Version20);
            var first = await client.GetStringAsync(new Uri("/", UriKind.Relative));
            visits.Add(first);
            Assert.Equal(first, await client.GetStringAsync(new Uri("/again", UriKind.Relative)));
        }

        // Five standard deviations.
        Assert.InRange(visits.Count(visit => visit == StandbyProxy.StandbyName), 90 - 40, 90 + 40);
        var state = await _shop.Proxy.StateAsync();
        Assert.Equal(2 * visits.Count(visit => visit == StandbyProxy.StandbyName), state.Targets.Single(t => t.Target.Revision == StandbyProxy.StandbyName).Standby!.Canary);
    }

    [Fact]
    public async Task Whoever_is_in_stays_in_where_the_share_grows_and_whoever_is_out_stays_out_where_it_shrinks()
    {
        var cookies = new List<string>();
        await _shop.ServeAsync(_shop.Share(50));
        for (var i = 0; i < 60; i++)
        {
            cookies.Add((await AskAsync()).Cookie!);
        }

        var half = await ThoseInAsync(cookies, 50);
        var more = await ThoseInAsync(cookies, 80);
        var less = await ThoseInAsync(cookies, 20);

        Assert.Subset(more, half);
        Assert.Subset(half, less);
        Assert.True(less.Count < half.Count && half.Count < more.Count, $"{less.Count}, {half.Count}, {more.Count} of 60");
    }

    [Fact]
    public async Task Whole_share_and_none_leave_nobody_to_chance()
    {
        await _shop.ServeAsync(_shop.Share(100));
        Assert.Equal(StandbyProxy.StandbyName, (await AskAsync()).Name);

        await _shop.ServeAsync(_shop.Snapshot());
        Assert.Equal((StandbyProxy.ActiveName, null), ((await AskAsync()).Name, (await AskAsync()).Cookie));
    }

    [Theory]
    [InlineData("http", "; Path=/; HttpOnly; SameSite=Lax")]
    [InlineData("https", "; Path=/; HttpOnly; SameSite=Lax; Secure")]
    public async Task Cookie_is_for_no_script_and_no_other_site_and_over_tls_for_tls_only(string scheme, string attributes)
    {
        await _shop.ServeAsync(_shop.Share(50));

        var answer = await _shop.Proxy.ExchangeAsync($"GET / HTTP/1.1\r\n{Closing}X-Forwarded-Proto: {scheme}\r\n\r\n");

        var line = answer.Split("\r\n").Single(header => header.StartsWith($"Set-Cookie: {Cookie}=", StringComparison.Ordinal));
        Assert.Equal(attributes, line[line.IndexOf(';', StringComparison.Ordinal)..]);
    }

    [Fact]
    public async Task Forged_cookie_and_one_of_another_release_are_replaced()
    {
        await _shop.ServeAsync(_shop.Share(50));
        var cookie = (await AskAsync()).Cookie!;
        Assert.Null((await AskAsync(cookie)).Cookie);
        var forged = (cookie[0] == 'A' ? 'B' : 'A') + cookie[1..];
        var resigned = cookie[..^2] + (cookie[^2] == 'A' ? 'B' : 'A') + cookie[^1];

        Assert.NotNull((await AskAsync(forged)).Cookie);
        Assert.NotNull((await AskAsync(resigned)).Cookie);
        Assert.NotNull((await AskAsync("AAAAAAAAAAAAAAAA." + new string('A', 43))).Cookie);
        Assert.NotNull((await AskAsync("nonsense")).Cookie);
        var other = _shop.Share(50);
        other.Standby = other.Standby! with { Target = other.Standby.Target with { Release = "another" } };
        await _shop.ServeAsync(other);
        Assert.NotNull((await AskAsync(cookie)).Cookie);
    }

    [Fact]
    public async Task Hosts_with_the_same_key_have_the_same_clients_in_the_share()
    {
        await using var second = await StandbyProxy.StartAsync();
        await _shop.ServeAsync(_shop.Share(50));
        await second.ServeAsync(second.Share(50));

        for (var i = 0; i < 20; i++)
        {
            var first = await AskAsync();
            Assert.Contains(first.Name, await second.Proxy.ExchangeAsync($"GET / HTTP/1.1\r\n{Closing}Cookie: {Cookie}={first.Cookie}\r\n\r\n"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Header_tells_clients_apart_without_a_cookie()
    {
        await _shop.ServeAsync(_shop.Share(50, "X-Customer"));
        var names = new HashSet<string>();
        for (var customer = 0; customer < 20; customer++)
        {
            var first = await AskAsync(headers: $"X-Customer: {customer}\r\n");
            var again = await AskAsync(headers: $"X-Customer: {customer}\r\n");
            Assert.Equal((first.Name, null, null), (again.Name, first.Cookie, again.Cookie));
            names.Add(first.Name);
        }

        Assert.Equal(2, names.Count);
        Assert.NotNull((await AskAsync()).Cookie);
    }

    [Fact]
    public async Task Health_check_of_whoever_is_in_front_asks_the_active_release()
    {
        var snapshot = _shop.Share(100);
        snapshot.Target = RunningProxy.TargetAt(_shop.Active.Address, "checked") with { Probe = new HealthProbe { Path = "/health" } };
        await _shop.ServeAsync(snapshot);

        Assert.Equal((StandbyProxy.ActiveName, null), ((await AskAsync(path: "/health")).Name, (await AskAsync(path: "/health")).Cookie));
        Assert.Equal(StandbyProxy.StandbyName, (await AskAsync(path: "/other")).Name);
    }

    [Fact]
    public async Task Share_and_clients_are_the_same_after_a_restart_of_the_proxy()
    {
        await _shop.ServeAsync(_shop.Share(50));
        var before = await AskAsync();

        await _shop.Proxy.RestartAsync();

        Assert.Equal((before.Name, null), ((await AskAsync(before.Cookie)).Name, (await AskAsync(before.Cookie)).Cookie));
        Assert.Equal(50, (await _shop.Proxy.StateAsync()).Standby!.Percent);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("POST", "body")]
    public async Task Clients_of_a_release_that_has_died_get_the_active_one_and_no_request_fails(string method, string body)
    {
        await _shop.ServeAsync(_shop.Share(100));
        await _shop.EndStandbyAsync();

        for (var i = 0; i < 20; i++)
        {
            var answer = await _shop.Proxy.ExchangeAsync($"{method} / HTTP/1.1\r\n{Closing}Content-Length: {body.Length}\r\n\r\n{body}");
            Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
            Assert.EndsWith(StandbyProxy.ActiveName, answer, StringComparison.Ordinal);
        }

        // Once it is known to be away, nobody else is made to find it out.
        var state = await _shop.Proxy.StateAsync();
        Assert.InRange(state.Targets.Single(t => t.Target.Revision == StandbyProxy.StandbyName).Standby!.SentBack, 1, 10);
    }

    [Fact]
    public async Task Request_that_the_release_breaks_off_unanswered_is_answered_by_the_active_one()
    {
        await using var breaking = new RawBackend();
        await _shop.ServeAsync(ShareAt(breaking));
        await using var client = await SendAsync();
        await (await breaking.AcceptedSendingAsync()).DisposeAsync();

        Assert.EndsWith(StandbyProxy.ActiveName, await client.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Equal(1, breaking.Accepted);
    }

    [Fact]
    public async Task Request_that_comes_back_from_a_release_that_is_gone_by_then_waits_for_the_active_one_as_others_do()
    {
        await using var breaking = new RawBackend();
        var shown = ShareAt(breaking);
        await _shop.ServeAsync(shown);
        await using var client = await SendAsync();
        await using var running = await breaking.AcceptedSendingAsync();
        var withdrawn = _shop.Proxy.SnapshotOf(shown.Target);
        withdrawn.HoldTimeout = TimeSpan.FromMinutes(1);
        await _shop.ServeAsync(withdrawn);
        await _shop.Active.DisposeAsync();

        await running.DisposeAsync();

        await _shop.Proxy.UntilAsync(state => state.Waiting == 1);
        await using var back = await StandbyProxy.StartBackendAsync(StandbyProxy.ActiveName, _shop.Active.Address.Port);
        Assert.EndsWith(StandbyProxy.ActiveName, await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_finds_no_place_on_the_release_goes_to_the_active_one()
    {
        await using var busy = new RawBackend();
        var snapshot = _shop.Share(100);
        snapshot.Limits = new Limits { MaxRequestsInFlight = 1 };
        snapshot.Standby = snapshot.Standby! with { Target = RunningProxy.TargetAt(busy.Address, StandbyProxy.StandbyName) };
        await _shop.ServeAsync(snapshot);
        await using var first = await _shop.Proxy.ConnectAsync();
        await first.SendAsync($"GET / HTTP/1.1\r\n{Closing}\r\n");
        await using var occupied = await busy.AcceptedSendingAsync();

        Assert.Equal(StandbyProxy.ActiveName, (await AskAsync()).Name);
    }

    [Fact]
    public async Task Switch_leaves_what_runs_on_the_release_alone_and_ends_the_canary()
    {
        await using var next = new RawBackend();
        var target = RunningProxy.TargetAt(next.Address, StandbyProxy.StandbyName);
        var shown = _shop.Share(100);
        shown.Standby = shown.Standby! with { Target = target };
        await _shop.ServeAsync(shown);
        await using var early = await _shop.Proxy.ConnectAsync();
        await early.SendAsync($"GET /early HTTP/1.1\r\n{Closing}\r\n");
        await using var running = await next.AcceptedSendingAsync();

        next.ExpectsProbe = true;
        var state = await _shop.ServeAsync(_shop.Proxy.SnapshotOf(target));

        Assert.Null(state.Standby);
        var promoted = state.Targets.Single(t => t.Target.Revision == StandbyProxy.StandbyName);
        Assert.Equal((null, 1), (promoted.DrainingSince, promoted.InFlight));
        Assert.NotNull(state.Targets.Single(t => t.Target.Revision == StandbyProxy.ActiveName).DrainingSince);
        await running.SendAsync("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend");
        Assert.EndsWith("end", await early.ReadToEndAsync(), StringComparison.Ordinal);
        next.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        var late = await _shop.Proxy.ExchangeAsync($"GET / HTTP/1.1\r\n{Closing}\r\n");
        Assert.EndsWith("late", late, StringComparison.Ordinal);
        Assert.DoesNotContain("Set-Cookie", late, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_that_is_withdrawn_drains_and_may_be_stopped_only_then()
    {
        await using var withdrawn = new RawBackend();
        var shown = ShareAt(withdrawn, "gone");
        var fence = shown.Fence;
        await _shop.ServeAsync(shown);
        await using var client = await SendAsync();
        await using var running = await withdrawn.AcceptedSendingAsync();
        Assert.Equal((HttpStatusCode.Conflict, ControlProblem.IsTarget), await FenceAsync(++fence));

        await _shop.ServeAsync(_shop.Proxy.SnapshotOf(shown.Target) with { Fence = fence - 1 });

        Assert.Equal(StandbyProxy.ActiveName, (await AskAsync()).Name);
        Assert.Equal((HttpStatusCode.Conflict, ControlProblem.InUse), await FenceAsync(fence));
        await running.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend");
        Assert.EndsWith("end", await client.ReadToEndAsync(), StringComparison.Ordinal);
        await _shop.Proxy.UntilAsync(state => state.Targets.Single(t => t.Target.Revision == "gone") is { DrainingSince: not null, InFlight: 0 });
        Assert.Equal(HttpStatusCode.OK, (await FenceAsync(fence)).Status);
    }

    [Fact]
    public async Task Request_on_a_release_that_is_withdrawn_is_cut_at_the_limit_of_that_release()
    {
        await using var withdrawn = new RawBackend();
        var shown = _shop.Share(100);
        shown.Standby = shown.Standby! with { Target = RunningProxy.TargetAt(withdrawn.Address, "gone"), DrainTimeout = TimeSpan.Zero };
        await _shop.ServeAsync(shown);
        await using var client = await SendAsync();
        await using var running = await withdrawn.AcceptedSendingAsync();

        await _shop.ServeAsync(_shop.Proxy.SnapshotOf(shown.Target));

        Assert.StartsWith("HTTP/1.1 504 ", await client.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Release_that_is_not_healthy_or_comes_with_an_old_fence_is_not_shown_and_the_active_one_serves_on()
    {
        await using var sick = new RawBackend { ProbeAnswer = "HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n" };
        var unhealthy = _shop.Share(100);
        unhealthy.Standby = unhealthy.Standby! with { Target = RunningProxy.TargetAt(sick.Address, "sick") };
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await _shop.Proxy.PutAsync(unhealthy)).Status);

        var (status, body) = await _shop.Proxy.PutAsync(_shop.Share(100) with { Fence = 1 });

        Assert.Equal((HttpStatusCode.Conflict, ControlProblem.StaleFence), (status, RunningProxy.ProblemIn(body).Type));
        Assert.Equal((StandbyProxy.ActiveName, null), ((await AskAsync()).Name, (await _shop.Proxy.StateAsync()).Standby));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public async Task Share_that_is_none_is_refused(int percent) => Assert.Equal(HttpStatusCode.BadRequest, (await _shop.Proxy.PutAsync(_shop.Share(percent))).Status);

    // All clients get what the test answers.
    private ApplicationSnapshot ShareAt(RawBackend release, string container = StandbyProxy.StandbyName)
    {
        var snapshot = _shop.Share(100);
        snapshot.Standby = snapshot.Standby! with { Target = RunningProxy.TargetAt(release.Address, container) };
        return snapshot;
    }

    private async Task<RawConnection> SendAsync()
    {
        var client = await _shop.Proxy.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\n{Closing}\r\n");
        return client;
    }

    private async Task<(HttpStatusCode Status, string? Problem)> FenceAsync(long fence)
    {
        var (status, body) = await _shop.Proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = fence, NotTarget = "gone", MustBeIdle = true });
        return (status, status == HttpStatusCode.OK ? null : RunningProxy.ProblemIn(body).Type);
    }

    private async Task<HashSet<string>> ThoseInAsync(IEnumerable<string> cookies, int percent)
    {
        await _shop.ServeAsync(_shop.Share(percent));
        var those = new HashSet<string>();
        foreach (var cookie in cookies)
        {
            if ((await AskAsync(cookie)).Name == StandbyProxy.StandbyName)
            {
                those.Add(cookie);
            }
        }

        return those;
    }

    private async Task<(string Name, string? Cookie)> AskAsync(string? cookie = null, string path = "/", string headers = "")
    {
        var request = new StringBuilder($"GET {path} HTTP/1.1\r\n{Closing}{headers}");
        if (cookie is not null)
        {
            request.Append($"Cookie: theme=dark; {Cookie}={cookie}\r\n");
        }

        var answer = await _shop.Proxy.ExchangeAsync(request.Append("\r\n").ToString());
        var given = answer.Split("\r\n").FirstOrDefault(header => header.StartsWith($"Set-Cookie: {Cookie}=", StringComparison.Ordinal));
        return (answer[(answer.LastIndexOf('\n') + 1)..], given?.Split('=', 2)[1].Split(';')[0]);
    }
}
