using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.IntegrationTests.ProxyClient;

public sealed class ProxyControlClientTests
{
    private const string State =
        """{"Application":"shop","Installation":"i1","Generation":4,"Fence":2,"Total":{"Requests":0,"TotalSeconds":0,"BytesIn":0,"BytesOut":0}}""";

    private static readonly ApplicationSnapshot Snapshot = new() { Application = "shop", Installation = "i1", Generation = 4, Fence = 2 };
    private static readonly FenceRequest Fence = new() { Installation = "i1", Fence = 3, NotTarget = "c41" };

    [Fact]
    public async Task Snapshot_is_put_whole_and_the_new_state_is_returned()
    {
        var sent = "";
        await using var socket = await ControlSocket.AnswerAsync(async context =>
        {
            sent = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync(State);
        });
        var client = Client(socket);

        var outcome = await client.ApplyAsync(Snapshot, default);

        Assert.Equal(4, Assert.IsType<ApplyOutcome.Applied>(outcome).State.Generation);
        Assert.Equal(["PUT /applications/shop"], socket.Calls);
        Assert.Equal(Snapshot, JsonSerializer.Deserialize(sent, ContractsJson.Default.ApplicationSnapshot));
    }

    [Theory]
    [InlineData(409, ControlProblem.StaleGeneration)]
    [InlineData(409, ControlProblem.ClaimedByOther)]
    [InlineData(422, ControlProblem.TargetUnhealthy)]
    [InlineData(507, ControlProblem.NotPersisted)]
    public async Task Refusal_of_a_snapshot_says_why(int status, string type)
    {
        await using var socket = await ControlSocket.AnswerAsync(status, Problem(status, type));
        var client = Client(socket);

        var outcome = await client.ApplyAsync(Snapshot, default);

        Assert.Equal(type, Assert.IsType<ApplyOutcome.Refused>(outcome).Problem.Type);
    }

    [Fact]
    public async Task Raised_fence_returns_the_state()
    {
        await using var socket = await ControlSocket.AnswerAsync(200, State);
        var client = Client(socket);

        var outcome = await client.FenceAsync("shop", Fence, default);

        Assert.Equal("shop", Assert.IsType<FenceOutcome.Fenced>(outcome).State?.Application);
        Assert.Equal(["POST /applications/shop/fence"], socket.Calls);
    }

    [Fact]
    public async Task Fence_of_an_unknown_application_is_raised_without_a_state()
    {
        await using var socket = await ControlSocket.AnswerAsync(200, "");
        var client = Client(socket);

        Assert.Null(Assert.IsType<FenceOutcome.Fenced>(await client.FenceAsync("shop", Fence, default)).State);
    }

    [Fact]
    public async Task Fence_against_the_target_is_refused()
    {
        await using var socket = await ControlSocket.AnswerAsync(409, Problem(409, ControlProblem.IsTarget));
        var client = Client(socket);

        var outcome = await client.FenceAsync("shop", Fence, default);

        Assert.Equal(ControlProblem.IsTarget, Assert.IsType<FenceOutcome.Refused>(outcome).Problem.Type);
    }

    [Fact]
    public async Task Unknown_application_has_no_state()
    {
        await using var socket = await ControlSocket.AnswerAsync(404, "");
        var client = Client(socket);

        Assert.Null(await client.GetStateAsync("shop", default));
    }

    [Fact]
    public async Task Members_that_a_later_proxy_added_are_skipped()
    {
        await using var socket = await ControlSocket.AnswerAsync(200, State.Replace("""{"App""", """{"AddedLater":{"A":[1]},"App""", StringComparison.Ordinal));
        var client = Client(socket);

        Assert.Equal(4, (await client.GetStateAsync("shop", default))?.Generation);
    }

    [Fact]
    public async Task Application_name_stays_one_segment_of_the_path()
    {
        var path = "";
        await using var socket = await ControlSocket.AnswerAsync(context =>
        {
            path = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
            return context.Response.WriteAsync(State);
        });
        var client = Client(socket);

        await client.GetStateAsync("a/../b?c", default);

        Assert.Equal("/applications/a%2F..%2Fb%3Fc", path);
    }

    [Fact]
    public async Task What_is_read_comes_over_one_connection_and_each_change_over_its_own()
    {
        var connections = new ConcurrentQueue<(string Method, string Connection)>();
        await using var socket = await ControlSocket.AnswerAsync(context =>
        {
            connections.Enqueue((context.Request.Method, context.Connection.Id));
            context.Response.StatusCode = HttpMethods.IsGet(context.Request.Method) ? 404 : 200;
            return Task.CompletedTask;
        });
        var client = Client(socket);

        for (var i = 0; i < 2; i++)
        {
            await client.GetStateAsync("shop", default);
            await client.FenceAsync("shop", Fence, default);
        }

        Assert.Single(connections.Where(c => c.Method == "GET").Distinct());
        Assert.Equal(2, connections.Where(c => c.Method == "POST").Distinct().Count());
    }

    [Fact]
    public async Task Absent_proxy_is_unreachable_and_nothing_was_changed()
    {
        var client = new ProxyControlClient("/nonexistent/proxy.sock", TimeProvider.System);

        var e = await Assert.ThrowsAsync<ProxyException>(() => client.ApplyAsync(Snapshot, default));

        Assert.Equal(ProxyFault.Unreachable, e.Fault);
        Assert.Contains("/nonexistent/proxy.sock", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Change_whose_connection_broke_is_ambiguous()
    {
        await using var socket = await ControlSocket.AnswerAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        var client = Client(socket);

        Assert.Equal(ProxyFault.Ambiguous, (await Assert.ThrowsAsync<ProxyException>(() => client.ApplyAsync(Snapshot, default))).Fault);
        Assert.Equal(ProxyFault.Ambiguous, (await Assert.ThrowsAsync<ProxyException>(() => client.FenceAsync("shop", Fence, default))).Fault);
        Assert.Equal(2, socket.Calls.Count);
        Assert.Equal(ProxyFault.Unreachable, (await Assert.ThrowsAsync<ProxyException>(() => client.GetStatusAsync(default))).Fault);
    }

    [Theory]
    [InlineData(500, "<html>")]
    [InlineData(200, "{}")]
    [InlineData(200, "")]
    [InlineData(409, "null")]
    public async Task Answer_that_cannot_be_read_leaves_a_change_ambiguous(int status, string body)
    {
        await using var socket = await ControlSocket.AnswerAsync(status, body);
        var client = Client(socket);

        Assert.Equal(ProxyFault.Ambiguous, (await Assert.ThrowsAsync<ProxyException>(() => client.ApplyAsync(Snapshot, default))).Fault);
        Assert.Equal(ProxyFault.Unreachable, (await Assert.ThrowsAsync<ProxyException>(() => client.GetStatusAsync(default))).Fault);
    }

    [Fact]
    public async Task Answer_above_1_MiB_is_refused()
    {
        await using var socket = await ControlSocket.AnswerAsync(200, new string(' ', ControlConnection.AnswerCapBytes) + State);
        var client = Client(socket);

        var e = await Assert.ThrowsAsync<ProxyException>(() => client.GetStateAsync("shop", default));

        Assert.Contains("1 MiB", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silent_proxy_is_given_2_seconds_for_a_fence_and_10_and_the_probe_for_a_snapshot()
    {
        var time = new FakeTimeProvider();
        var arrived = new SemaphoreSlim(0);
        await using var socket = await ControlSocket.AnswerAsync(async context =>
        {
            arrived.Release();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var client = new ProxyControlClient(socket.Path, time);
        var target = new Target { Release = "r", ContainerId = "c", StartedAt = default, Address = "127.0.0.1:1", Probe = new() };

        await LastsAsync(client.FenceAsync("shop", Fence, default), TimeSpan.FromSeconds(2));
        await LastsAsync(client.ApplyAsync(Snapshot with { Target = target }, default), TimeSpan.FromSeconds(15));

        async Task LastsAsync(Task call, TimeSpan limit)
        {
            await arrived.WaitAsync(TimeSpan.FromSeconds(10));
            time.Advance(limit - TimeSpan.FromMilliseconds(1));
            Assert.False(call.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            var e = await Assert.ThrowsAsync<ProxyException>(() => call);
            Assert.Equal(ProxyFault.Ambiguous, e.Fault);
            Assert.Contains(Duration.Format(limit), e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Cancellation_by_the_caller_is_not_a_fault_of_the_proxy()
    {
        await using var socket = await ControlSocket.AnswerAsync(200, State);
        var client = Client(socket);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetStatusAsync(new CancellationToken(canceled: true)));
    }

    private static ProxyControlClient Client(ControlSocket socket) => new(socket.Path, TimeProvider.System);

    private static string Problem(int status, string type) =>
        $$"""{"Type":"{{type}}","Title":"Refused","Status":{{status}},"Detail":"because","State":{{State}}}""";
}
