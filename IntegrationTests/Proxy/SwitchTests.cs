using System.Net;

namespace Wunderproxy.IntegrationTests.Proxy;

public class SwitchTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

    [Fact]
    public async Task Request_in_flight_ends_on_the_release_that_it_began_on_and_none_begins_there_after_the_switch()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var one = new RawBackend();
        await using var two = new RawBackend();
        await proxy.SwitchAsync(one.Address, "one");
        await using var early = await proxy.ConnectAsync();
        await early.SendAsync("GET /early HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var onOne = await one.AcceptedAsync();
        Assert.StartsWith("GET /early ", await onOne.ReadHeadAsync(), StringComparison.Ordinal);

        var state = await proxy.SwitchAsync(two.Address, "two");

        Assert.Equal(["two", "one"], state.Targets.Select(t => t.Target.ContainerId));
        Assert.Equal(1, state.Targets[1].InFlight);
        Assert.NotNull(state.Targets[1].DrainingSince);
        two.AnswerAll(Ok + "22");
        await using var late = await proxy.ConnectAsync();
        await late.SendAsync("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.EndsWith("22", await late.ReadMessageAsync(), StringComparison.Ordinal);
        await early.SendAsync("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        await onOne.SendAsync(Ok + "11");
        Assert.EndsWith("11", await early.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.EndsWith("22", await early.ReadMessageAsync(), StringComparison.Ordinal);

        state = await proxy.UntilAsync(s => s.Targets[1].InFlight == 0);
        Assert.Equal((2, 1), (state.Targets[0].Traffic.Requests, state.Targets[1].Traffic.Requests));
        await onOne.WaitForEndAsync();
    }

    [Fact]
    public async Task Without_a_target_the_answer_is_503_and_says_when_to_try_again()
    {
        await using var proxy = await RunningProxy.StartAsync();

        var answer = await proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 1\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/plain; charset=utf-8\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Persisted_target_is_served_at_once_after_a_restart()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        backend.AnswerAll(Ok + "11");
        var before = await proxy.SwitchAsync(backend.Address);

        await proxy.RestartAsync();

        Assert.EndsWith("11", await proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.Ordinal);
        var after = await proxy.StateAsync();
        Assert.Equal((before.Generation, before.Fence), (after.Generation, after.Fence));
    }

    [Fact]
    public async Task Target_that_is_not_healthy_at_that_moment_is_refused()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend { ProbeAnswer = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n" };

        var (status, body) = await proxy.PutAsync(proxy.SnapshotOf(RunningProxy.TargetAt(backend.Address)));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("it answered 302, expected 200-299", RunningProxy.ProblemIn(body).Detail, StringComparison.Ordinal);
    }
}
