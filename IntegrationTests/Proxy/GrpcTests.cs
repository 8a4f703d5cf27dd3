using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>gRPC's own client and server, with the Proxy between them.</summary>
public sealed class GrpcTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private RunningProxy? _running;
    private GrpcBackend? _backend;
    private GrpcChannel? _channel;

    private RunningProxy Proxy => _running!;

    private GrpcBackend Backend => _backend!;

    private CallInvoker Client => _channel!.CreateCallInvoker();

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync();
        _backend = await GrpcBackend.StartAsync();
        await SwitchAsync(_backend);
        _channel = GrpcChannel.ForAddress($"http://{Proxy.Address}", new GrpcChannelOptions { MaxReceiveMessageSize = null });
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await Proxy.DisposeAsync();
        await Backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Call_is_answered_with_its_headers_status_and_trailers()
    {
        using var call = Client.AsyncUnaryCall(GrpcCalls.Ask, null, new CallOptions(new Metadata { { "x-token", "abc" }, { "x-key-bin", [0, 255] } }), "hello");

        Assert.Equal("one:hello", await call.ResponseAsync.WaitAsync(Limit, TimeProvider.System));
        Assert.Equal("one", (await call.ResponseHeadersAsync).GetValue("x-name"));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal("5", call.GetTrailers().GetValue("x-length"));
        Assert.Equal([1, 0, 255], call.GetTrailers().GetValueBytes("x-sum-bin"));
        var seen = Backend.Headers;
        Assert.Equal("abc", seen.GetValue("x-token"));
        Assert.Equal([0, 255], seen.GetValueBytes("x-key-bin"));
        Assert.Equal("127.0.0.1", seen.GetValue("x-forwarded-for"));
    }

    [Fact]
    public async Task Failure_of_the_application_keeps_its_code_its_words_and_its_trailers()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => AskAsync("fail"));

        Assert.Equal((StatusCode.FailedPrecondition, "not today: \u00e4 %"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("weather", failure.Trailers.GetValue("x-reason"));
    }

    [Fact]
    public async Task Call_of_a_method_that_does_not_exist_is_answered_by_the_application()
    {
        var unknown = new Method<string, string>(MethodType.Unary, "test.Calls", "Nothing", GrpcCalls.Ask.RequestMarshaller, GrpcCalls.Ask.ResponseMarshaller);

        var failure = await Assert.ThrowsAsync<RpcException>(() => Client.AsyncUnaryCall(unknown, null, default, "").ResponseAsync);

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Each_message_of_a_stream_arrives_before_the_next_one_is_sent()
    {
        using var call = Client.AsyncServerStreamingCall(GrpcCalls.Listen, null, default, "");
        foreach (var message in new[] { "a", "b", "c" })
        {
            await Backend.Messages.Writer.WriteAsync(message);
            Assert.Equal(message, await NextAsync(call.ResponseStream));
        }

        Backend.Messages.Writer.Complete();

        Assert.Null(await NextAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Stream_of_a_client_is_answered_when_it_ends()
    {
        using var call = Client.AsyncClientStreamingCall(GrpcCalls.Join, null, default);
        foreach (var message in new[] { "a", "b", "c" })
        {
            await call.RequestStream.WriteAsync(message);
        }

        await call.RequestStream.CompleteAsync();

        Assert.Equal("abc", await call.ResponseAsync.WaitAsync(Limit, TimeProvider.System));
    }

    [Fact]
    public async Task Both_sides_talk_in_turns_for_as_long_as_they_like()
    {
        using var call = Client.AsyncDuplexStreamingCall(GrpcCalls.Talk, null, default);
        for (var i = 0; i < 200; i++)
        {
            await call.RequestStream.WriteAsync($"{i}");
            Assert.Equal($"one:{i}", await NextAsync(call.ResponseStream));
        }

        await call.RequestStream.CompleteAsync();

        Assert.Null(await NextAsync(call.ResponseStream));
    }

    [Fact]
    public async Task Client_that_is_silent_in_a_call_is_not_ended_for_it()
    {
        using var call = Client.AsyncDuplexStreamingCall(GrpcCalls.Talk, null, default);
        await call.RequestStream.WriteAsync("before");
        Assert.Equal("one:before", await NextAsync(call.ResponseStream));

        // The server gives bodies 5 s, and looks each second.
        await Eventually.PassAsync(TimeSpan.FromSeconds(8));

        await call.RequestStream.WriteAsync("after");
        Assert.Equal("one:after", await NextAsync(call.ResponseStream));
    }

    [Fact]
    public async Task Large_messages_pass_both_ways()
    {
        var large = new string('x', 20_000_000);

        Assert.Equal(20_000_004, (await AskAsync(large)).Length);
    }

    [Fact]
    public async Task Call_that_its_client_cancels_is_cancelled_at_the_application_within_a_second()
    {
        using var call = Client.AsyncServerStreamingCall(GrpcCalls.Listen, null, default, "");
        await Backend.Messages.Writer.WriteAsync("a");
        Assert.Equal("a", await NextAsync(call.ResponseStream));

        call.Dispose();

        await Backend.EndedAsync(Second);
        await Proxy.UntilAsync(state => state.Targets[0] is { InFlight: 0, Streams: 0 });
    }

    [Fact]
    public async Task Deadline_reaches_the_application_and_ends_the_call()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => Client.AsyncUnaryCall(GrpcCalls.Ask, null, new CallOptions(deadline: Soon()), "wait").ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        // It is told as the time that is left, so it is later there by as long as the call was on its way.
        Assert.InRange((await Backend.CalledAsync()).Deadline, TimeProvider.System.GetUtcNow().UtcDateTime - Limit, TimeProvider.System.GetUtcNow().UtcDateTime + Second);
    }

    [Fact]
    public async Task Switches_under_load_fail_no_call()
    {
        await using var second = await GrpcBackend.StartAsync("two");
        var isOver = false;
        var names = new ConcurrentDictionary<string, int>();
        var load = Enumerable.Range(0, 20).Select(async _ =>
        {
            while (!Volatile.Read(ref isOver))
            {
                names.AddOrUpdate(await AskAsync("x"), 1, (_, count) => count + 1);
            }
        }).ToList();

        for (var i = 0; i < 20; i++)
        {
            await SwitchAsync(i % 2 == 0 ? second : Backend, $"c{i + 2}");
        }

        Volatile.Write(ref isOver, true);
        await Task.WhenAll(load);
        Assert.Equal(["one:x", "two:x"], names.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(0, (await Proxy.StateAsync()).Total.ByStatus.Where(status => status.Key != 200).Sum(status => status.Value));
    }

    [Fact]
    public async Task Calls_of_a_replaced_release_finish_and_its_open_streams_end_as_unavailable_at_their_limit()
    {
        await using var second = await GrpcBackend.StartAsync("two");
        using var stream = Client.AsyncServerStreamingCall(GrpcCalls.Listen, null, default, "");
        await Backend.Messages.Writer.WriteAsync("a");
        Assert.Equal("a", await NextAsync(stream.ResponseStream));
        var asking = AskAsync("wait");
        await Backend.CalledAsync();
        await Backend.CalledAsync();

        await SwitchAsync(second, "c2", snapshot => (snapshot.DrainTimeout, snapshot.StreamDrainTimeout) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2)));

        Assert.Equal("two:new", await AskAsync("new"));
        await Proxy.UntilAsync(state => state.Targets[1] is { InFlight: 0, Streams: 2 });
        Backend.Release();
        Assert.Equal("one:wait", await asking.WaitAsync(Limit, TimeProvider.System));
        await Backend.Messages.Writer.WriteAsync("b");
        Assert.Equal("b", await NextAsync(stream.ResponseStream));
        var failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream.ResponseStream));
        Assert.Equal((StatusCode.Unavailable, Wunderproxy.Proxy.Forwarding.Problem.DrainOver.Detail), (failure.StatusCode, failure.Status.Detail));
        await Backend.EndedAsync(Second);
        await Proxy.UntilAsync(state => state.Targets[1] is { InFlight: 0, Streams: 0 });
    }

    [Fact]
    public async Task Call_waits_while_the_application_is_away_and_goes_on_when_it_is_back()
    {
        await SwitchAsync(Backend, "c2", snapshot => snapshot.HoldTimeout = TimeSpan.FromMinutes(1));
        await Backend.DisposeAsync();

        var calls = Enumerable.Range(0, 10).Select(i => AskAsync($"{i}")).ToList();
        await Proxy.UntilAsync(state => state.Waiting == 10);
        await using var back = await GrpcBackend.StartAsync("back", Backend.Address.Port);

        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"back:{i}"), await Task.WhenAll(calls).WaitAsync(Limit, TimeProvider.System));
    }

    [Fact]
    public async Task Call_to_an_application_that_is_away_for_too_long_is_unavailable()
    {
        await Backend.DisposeAsync();

        await AssertUnavailableAsync(502);
    }

    [Fact]
    public async Task Call_without_a_release_is_unavailable()
    {
        await Proxy.PutAsync(Proxy.SnapshotOf(null));

        await AssertUnavailableAsync(503);
    }

    [Fact]
    public async Task Call_in_maintenance_is_unavailable()
    {
        await SwitchAsync(Backend, change: snapshot => snapshot.Maintenance = new MaintenancePage { Body = "<h1>Back soon</h1>" });

        await AssertUnavailableAsync(503);
    }

    [Fact]
    public async Task Call_of_grpc_web_over_http_1_is_answered_in_headers()
    {
        await Proxy.PutAsync(Proxy.SnapshotOf(null));

        var answer = await Proxy.ExchangeAsync("POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal);
        Assert.Contains("\r\ngrpc-status: 14\r\n", answer, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("\r\nContent-Type: application/grpc-web+proto\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_that_the_application_breaks_off_is_unavailable()
    {
        using var stream = Client.AsyncServerStreamingCall(GrpcCalls.Listen, null, default, "");
        await Backend.Messages.Writer.WriteAsync("a");
        Assert.Equal("a", await NextAsync(stream.ResponseStream));

        await Backend.DisposeAsync();

        var failure = await Assert.ThrowsAsync<RpcException>(() => NextAsync(stream.ResponseStream));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private static DateTime Soon() => (TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(500)).UtcDateTime;

    private static async Task<string?> NextAsync(IAsyncStreamReader<string> answers) =>
        await answers.MoveNext(CancellationToken.None).WaitAsync(Limit, TimeProvider.System) ? answers.Current : null;

    private Task<string> AskAsync(string message) => Client.AsyncUnaryCall(GrpcCalls.Ask, null, default, message).ResponseAsync;

    private async Task AssertUnavailableAsync(int status)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(() => AskAsync("x"));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.DoesNotContain("Bad gRPC response", failure.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(1, Assert.Contains(status, (await Proxy.StateAsync()).Total.ByStatus));
    }

    private Task<ApplicationState> SwitchAsync(GrpcBackend backend, string container = "c1", Action<ApplicationSnapshot>? change = null) =>
        Proxy.SwitchAsync(backend.Address, container, snapshot =>
        {
            snapshot.Target = RunningProxy.H2cTargetAt(backend.Address, container);
            change?.Invoke(snapshot);
        });
}
