using System.Net;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

public class ControlApiTests
{
    [Fact]
    public async Task Older_generation_is_refused_and_an_equal_one_changes_nothing()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        var snapshot = proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address)) with { Generation = 5 };

        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(snapshot)).Status);
        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(snapshot)).Status);
        Assert.Equal(ControlProblem.StaleGeneration, Refused(await proxy.PutAsync(snapshot with { Generation = 4 })));
        Assert.Equal(ControlProblem.StaleGeneration, Refused(await proxy.PutAsync(snapshot with { Maintenance = new MaintenancePage() })));

        Assert.Equal(1, backend.Probes);
        Assert.Equal(5, (await proxy.StateAsync()).Generation);
    }

    [Fact]
    public async Task Traffic_moves_only_with_a_fence_newer_than_any_seen()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one", s => s.Maintenance = null);
        var delayed = proxy.SnapshotOf(RunningProxy.TargetAt(two.Address, "two"));
        Assert.Equal(HttpStatusCode.OK, (await proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = delayed.Fence, NotTarget = "two" })).Status);

        Assert.Equal(ControlProblem.StaleFence, Refused(await proxy.PutAsync(delayed)));

        Assert.Equal(0, two.Probes);
        Assert.Equal("one", (await proxy.StateAsync()).Target!.ContainerId);
        Assert.Equal(ControlProblem.StaleFence, Refused(await proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = delayed.Fence, NotTarget = "two" })));
        Assert.Equal(ControlProblem.IsTarget, Refused(await proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = 99, NotTarget = "one" })));
        Assert.Equal(delayed.Fence, (await proxy.StateAsync()).Fence);
    }

    [Fact]
    public async Task Fence_raised_while_the_target_is_probed_stops_the_switch()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend { ExpectsProbe = false };
        var switching = proxy.PutAsync(proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address)));
        await using var probe = await backend.AcceptedAsync();
        await probe.ReadHeadAsync();

        Assert.Equal(HttpStatusCode.OK, (await proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = 10, NotTarget = "c1" })).Status);
        await probe.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        Assert.Equal(ControlProblem.StaleFence, Refused(await switching));
        Assert.Null((await proxy.StateAsync()).Target);
    }

    [Fact]
    public async Task Fence_of_an_unknown_application_is_kept_over_a_restart()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        Assert.Equal(HttpStatusCode.OK, (await proxy.FenceAsync(new FenceRequest { Installation = "i1", Fence = 7, NotTarget = "x" })).Status);

        await proxy.RestartAsync();

        var snapshot = proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address));
        Assert.Equal(ControlProblem.StaleFence, Refused(await proxy.PutAsync(snapshot with { Fence = 7 })));
        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(snapshot with { Fence = 8 })).Status);
    }

    [Fact]
    public async Task Maintenance_answers_everything_with_the_page_and_needs_neither_probe_nor_fence()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        var up = proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address)) with { Fence = 0, Maintenance = new MaintenancePage { Body = "<h1>Back soon</h1>" } };
        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(up)).Status);

        var answer = await proxy.ExchangeAsync("GET /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/html; charset=utf-8\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("<h1>Back soon</h1>", answer, StringComparison.Ordinal);
        Assert.Equal(1, backend.Probes);
        Assert.True((await proxy.StateAsync()).Maintenance);
    }

    [Fact]
    public async Task Probe_asks_as_it_is_told_and_reads_the_body()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend { ProbeAnswer = "HTTP/1.1 304 OK\r\nConnection: close\r\n\r\n" };
        var target = RunningProxy.TargetAt(backend.Address);
        target.Probe.Path = "/up?deep=1";
        target.Probe.Host = "shop.example";
        target.Probe.Headers = new Dictionary<string, string> { ["X-Forwarded-Proto"] = "https" };
        target.Probe.ExpectedStatus = "200-299,304";

        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(proxy.SnapshotOf(target))).Status);

        Assert.StartsWith("GET /up?deep=1 HTTP/1.1\r\n", backend.ProbeRequest, StringComparison.Ordinal);
        Assert.Contains("\r\nHost: shop.example\r\n", backend.ProbeRequest, StringComparison.Ordinal);
        Assert.Contains("\r\nX-Forwarded-Proto: https\r\n", backend.ProbeRequest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "its answer doesn't contain the expected body")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "it answered 500, expected 200-299")]
    [InlineData("", "it didn't answer within 300 ms")]
    [InlineData("rubbish\r\n\r\n", "it couldn't be asked")]
    public async Task Unhealthy_target_is_refused_with_what_was_seen_and_the_former_one_serves_on(string answer, string reason)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend { ExpectsProbe = false };
        await proxy.SwitchAsync(one.Address, "one");
        var target = RunningProxy.TargetAt(two.Address, "two");
        target.Probe.ExpectedBody = "fine";
        target.Probe.Timeout = TimeSpan.FromMilliseconds(answer is "" ? 300 : 5000);
        var switching = proxy.PutAsync(proxy.SnapshotOf(target));
        await using var probe = await two.AcceptedAsync();
        await probe.ReadHeadAsync();
        await probe.SendAsync(answer);

        var (status, body) = await switching;

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        var problem = RunningProxy.ProblemIn(body);
        Assert.Equal(ControlProblem.TargetUnhealthy, problem.Type);
        Assert.Contains(reason, problem.Detail, StringComparison.Ordinal);
        Assert.Equal("one", problem.State!.Target!.ContainerId);
    }

    [Fact]
    public async Task Other_owners_and_other_applications_are_refused_by_name()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        var snapshot = proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address));

        Assert.Equal(ControlProblem.ClaimedByOther, Refused(await proxy.PutAsync(snapshot with { Installation = "i2" })));
        Assert.Equal(ControlProblem.ClaimedByOther, Refused(await proxy.FenceAsync(new FenceRequest { Installation = "i2", Fence = 99, NotTarget = "x" })));
        Assert.Equal(ControlProblem.ClaimedByOther, Refused(await proxy.CallAsync(HttpMethod.Delete, "/applications/shop?installation=i2")));
        var other = await proxy.PutAsync(snapshot with { Application = "blog", Installation = "i2" });
        Assert.Equal(ControlProblem.ClaimedByOther, Refused(other));
        Assert.Contains("'shop' of installation 'i1'", RunningProxy.ProblemIn(other.Body).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forgotten_application_is_unknown_also_after_a_restart_and_makes_room()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);

        Assert.Equal(HttpStatusCode.OK, (await proxy.CallAsync(HttpMethod.Delete, "/applications/shop?installation=i1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await proxy.CallAsync(HttpMethod.Get, "/applications/shop")).Status);
        await proxy.RestartAsync();

        Assert.Empty((await proxy.StatusAsync()).Applications);
        backend.ExpectsProbe = true;
        var blog = proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address)) with { Application = "blog" };
        Assert.Equal(HttpStatusCode.OK, (await proxy.PutAsync(blog)).Status);
    }

    [Theory]
    [InlineData("{", "")]
    [InlineData("null", "null")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Tarket":null}""", "Tarket")]
    [InlineData("""{"Application":"shop","Installation":null,"Generation":1,"Fence":1}""", "nstallation")]
    [InlineData("""{"Application":"shop","Generation":1,"Fence":1}""", "Installation")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":"x","Fence":1}""", "$.Generation")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"DrainTimeout":"soon"}""", "$.DrainTimeout")]
    [InlineData("""{"Application":"blog","Installation":"i","Generation":1,"Fence":1}""", "Application is 'blog'")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"DrainTimeout":"25h"}""", "DrainTimeout is longer than 24h")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Limits":{"MaxRequestBody":-1}}""", "$.Limits.MaxRequestBody")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Limits":{"AnswerTimeout":"1ms"}}""", "Limits.AnswerTimeout must be from 1s to 24h")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Limits":{"MaxRequestsInFlight":0}}""", "Limits.MaxRequestsInFlight must be 1 to 100000")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Limits":{"MaxQueued":10001}}""", "Limits.MaxQueued must be 0 to 10000")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Limits":{"QueueTimeout":"6m"}}""", "Limits.QueueTimeout is longer than 5m")]
    [InlineData("""{"Application":"shop","Installation":"i","Generation":1,"Fence":1,"Target":{"Release":"r","ContainerId":"c","StartedAt":"2026-01-01T00:00:00Z","Address":"example.com:80","Probe":{"Path":"x","ExpectedStatus":"2xx","Host":"a\nb"}}}""", "Target.Address")]
    public async Task Body_that_is_not_what_the_call_takes_is_refused_by_name(string body, string named)
    {
        await using var proxy = await RunningProxy.StartAsync();

        var (status, answer) = await proxy.CallAsync(HttpMethod.Put, "/applications/shop", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        var problem = RunningProxy.ProblemIn(answer);
        Assert.Equal(ControlProblem.InvalidBody, problem.Type);
        Assert.Contains(named, problem.Detail, StringComparison.Ordinal);
        Assert.Empty((await proxy.StatusAsync()).Applications);
    }

    [Fact]
    public async Task Name_that_could_leave_the_state_directory_is_refused()
    {
        await using var proxy = await RunningProxy.StartAsync();

        var (status, _) = await proxy.CallAsync(HttpMethod.Post, "/applications/..%2Fx/fence", """{"Installation":"i","Fence":1,"NotTarget":"c"}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task State_that_cannot_be_written_changes_nothing()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();

        // A folder where the file should be: nobody can write it, not even root.
        Directory.CreateDirectory(Path.Combine(proxy.Options.StateDirectory, "shop.state"));
        var (status, body) = await proxy.PutAsync(proxy.SnapshotOf(RunningProxy.TargetAt(one.Address)));

        Assert.Equal(HttpStatusCode.InsufficientStorage, status);
        Assert.Equal(ControlProblem.NotPersisted, RunningProxy.ProblemIn(body).Type);
        Assert.Empty((await proxy.StatusAsync()).Applications);
    }

    [Fact]
    public async Task Control_socket_and_state_are_closed_to_others()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);

        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(owner | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(proxy.Options.ControlSocket));
        Assert.Equal(owner, File.GetUnixFileMode(Path.Combine(proxy.Options.StateDirectory, "shop.state")));
    }

    private static string Refused((HttpStatusCode Status, string Body) answer)
    {
        Assert.Equal(HttpStatusCode.Conflict, answer.Status);
        return RunningProxy.ProblemIn(answer.Body).Type;
    }
}
