using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Applications that speak HTTP/2 without TLS, and what clients of either version see of them.</summary>
public sealed class H2cTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private RunningProxy? _running;
    private GrpcBackend? _backend;

    private RunningProxy Proxy => _running!;

    private GrpcBackend Backend => _backend!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync();
        _backend = await GrpcBackend.StartAsync();
        await SwitchAsync(Backend.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await Backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/a%2Fb//c/../%7Ed?x=%20&y=[1]|{}\\^`")]
    [InlineData("/%c0%ae/;a=b?")]
    public async Task Clients_of_both_versions_reach_the_path_byte_for_byte(string path)
    {
        Backend.Answer = context => context.Response.WriteAsync(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget + " " + context.Request.Protocol);
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Get(path));

        Assert.EndsWith($"\r\n\r\n{path} HTTP/2", Unchunked(await Proxy.ExchangeAsync($"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")), StringComparison.Ordinal);
        Assert.Equal((200, $"{path} HTTP/2"), await client.AnswerAsync(1));
    }

    [Fact]
    public async Task Application_learns_who_asks_and_for_what_and_nothing_that_is_meant_for_the_proxy()
    {
        Backend.Answer = context => context.Response.WriteAsync(string.Join('\n', context.Request.Headers.Select(field => $"{field.Key}: {field.Value}").Order(StringComparer.OrdinalIgnoreCase)), Encoding.Latin1);

        var answer = Unchunked(await Proxy.ExchangeAsync(
            "GET / HTTP/1.1\r\nHost: shop.example:8080\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nTE: trailers\r\n"
            + "Cookie: a=1\r\nContent-Type: text/plain\r\nX-Latin: \xE4\r\nUser-Agent: (odd)/ one\r\n\r\n"));

        Assert.Equal(
            [
                "Content-Type: text/plain", "Cookie: a=1", "Host: shop.example:8080", "TE: trailers", "User-Agent: (odd)/ one", "X-Forwarded-For: 127.0.0.1",
                "X-Forwarded-Host: shop.example:8080", "X-Forwarded-Proto: http", "X-Latin: \xE4", "X-Real-IP: 127.0.0.1",
            ],
            answer.Split("\r\n\r\n")[1].Split('\n').Where(line => line != "Content-Length: 0" && !line.StartsWith("x-request-", StringComparison.OrdinalIgnoreCase)),
            StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Body_in_chunks_is_passed_on_piece_by_piece_beside_its_answer()
    {
        Backend.Answer = EchoAsync;
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.ReadHeadAsync();
        foreach (var piece in new[] { "one", "two" })
        {
            await client.SendAsync($"3\r\n{piece}\r\n");
            Assert.Equal($"3\r\n{piece}\r\n", await client.ReadAsync(8));
        }

        await client.SendAsync("0\r\n\r\n");

        Assert.Equal("0\r\n\r\n", await client.ReadAsync(5));
        await client.SendAsync("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        var state = await Proxy.UntilAsync(s => s.Total.Requests >= 1);
        Assert.Equal((6, 6), (state.Total.BytesIn, state.Total.BytesOut));
    }

    [Fact]
    public async Task Trailers_come_back_to_clients_of_both_versions()
    {
        Backend.Answer = async context =>
        {
            context.Response.Headers.Trailer = "X-Sum";
            await context.Response.WriteAsync("ok");
            context.Response.AppendTrailer("X-Sum", "42");
            context.Response.AppendTrailer("Connection", "x");
        };
        using var client = new Http2Client(Proxy.Address);
        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Get, "/"));

        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        Assert.Equal("42", Assert.Single(Assert.Single(answer.TrailingHeaders).Value));
        Assert.EndsWith("\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n", await Proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    [InlineData("GET", 304)]
    public async Task Answer_without_a_body_ends_with_its_head(string method, int status)
    {
        Backend.Answer = context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.ETag = "\"1\"";
            return Task.CompletedTask;
        };
        await using var client = await Proxy.ConnectAsync();

        for (var i = 0; i < 2; i++)
        {
            await client.SendAsync($"{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
            var head = await client.ReadHeadAsync();
            Assert.StartsWith($"HTTP/1.1 {status} ", head, StringComparison.Ordinal);
            Assert.Contains("\r\nETag: \"1\"\r\n", head, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Head_of_an_answer_does_not_wait_for_its_body()
    {
        var isOver = new TaskCompletionSource();
        Backend.Answer = async context =>
        {
            context.Response.ContentLength = 2;
            await context.Response.Body.FlushAsync();
            await isOver.Task;
            await context.Response.WriteAsync("ok");
        };
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.Contains("\r\nContent-Length: 2\r\n", await client.ReadHeadAsync(), StringComparison.OrdinalIgnoreCase);

        isOver.SetResult();
        Assert.Equal("ok", await client.ReadAsync(2));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Client_that_leaves_ends_its_stream_at_the_application_within_a_second(bool isHttp2, bool hasBegun)
    {
        var left = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        Backend.Answer = async context =>
        {
            await using var registration = context.RequestAborted.Register(() => left.TrySetResult());
            if (hasBegun)
            {
                await context.Response.Body.FlushAsync();
            }

            asked.SetResult();
            await left.Task;
        };
        await using var old = await Proxy.ConnectAsync();
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await (isHttp2 ? client.SendHeadersAsync(1, Http2Connection.Get()) : old.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        await asked.Task.WaitAsync(10 * Second, TimeProvider.System);
        if (hasBegun)
        {
            await (isHttp2 ? (Task)client.ReadAsync(Http2FrameType.Headers, 1) : old.ReadHeadAsync());
        }

        await (isHttp2 ? client.ResetAsync(1) : old.DisposeAsync().AsTask());

        await left.Task.WaitAsync(Second, TimeProvider.System);
        var state = await Proxy.UntilAsync(s => s.Targets[0].InFlight == 0);
        Assert.Equal(hasBegun ? 0 : 1, state.Total.ByStatus.GetValueOrDefault(499));
    }

    [Fact]
    public async Task Answer_before_the_end_of_the_body_reaches_the_client()
    {
        Backend.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return context.Response.WriteAsync("no");
        };
        await using var client = await Http2Connection.ConnectAsync(Proxy.Address);
        await client.SendHeadersAsync(1, Http2Connection.Request("POST", "/"), isLast: false);
        await client.SendDataAsync(1, "abc", isLast: false);

        Assert.Equal((413, "no"), await client.AnswerAsync(1));
        Assert.Equal(0, (await client.ReadAsync(Http2FrameType.Reset, stream: 1)).Error);
    }

    [Fact]
    public async Task Body_that_waits_for_100_is_not_sent_where_the_application_answers_at_once()
    {
        Backend.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        };
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 401 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Switch_changes_the_protocol_with_the_release()
    {
        await using var old = new RawBackend();
        await using var client = await Proxy.ConnectAsync();

        await Proxy.SwitchAsync(old.Address, "old");
        old.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold");
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.EndsWith("\r\n\r\nold", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await SwitchAsync(Backend.Address, "new");

        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        Assert.EndsWith("\r\n\r\nGET HTTP/2", Unchunked(await client.ReadToEndAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_is_late_when_its_release_is_replaced_is_answered_with_504()
    {
        Backend.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        await using var second = await GrpcBackend.StartAsync("two");
        var answering = Proxy.ExchangeAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await Proxy.UntilAsync(s => s.Targets[0].InFlight == 1);

        await SwitchAsync(second.Address, "two", snapshot => snapshot.DrainTimeout = TimeSpan.FromMilliseconds(50));

        Assert.StartsWith("HTTP/1.1 504 ", await answering, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Application_that_speaks_http_1_only_is_not_taken_as_a_target()
    {
        await using var old = new RawBackend { ExpectsProbe = false };
        old.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");

        var (status, _) = await Proxy.PutAsync(Proxy.SnapshotOf(RunningProxy.H2cTargetAt(old.Address, "old")));

        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Clients_of_both_versions_open_websockets_and_are_told_when_the_release_is_replaced(bool isHttp2)
    {
        Backend.Answer = EchoMessagesAsync;
        await using var second = await GrpcBackend.StartAsync("two");
        using var client = new ClientWebSocket();
        client.Options.AddSubProtocol("chat");
        (client.Options.HttpVersion, client.Options.HttpVersionPolicy) = (isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact);
        using var connections = new HttpMessageInvoker(new SocketsHttpHandler());
        await client.ConnectAsync(new Uri($"ws://{Proxy.Address}/ws?a=b"), connections, CancellationToken.None).WaitAsync(10 * Second, TimeProvider.System);

        Assert.Equal("chat", client.SubProtocol);
        foreach (var message in new[] { "one", new string('x', 300_000), "three" })
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            Assert.Equal(message, await ReceiveAsync(client));
        }

        Assert.Equal(1, (await Proxy.StateAsync()).Targets[0].Streams);
        await SwitchAsync(second.Address, "two", snapshot => snapshot.StreamDrainTimeout = Second);

        Assert.Equal("", await ReceiveAsync(client));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.CloseStatus);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        await Proxy.UntilAsync(state => state.Targets[1].Streams == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Websocket_that_the_application_refuses_is_answered_as_it_says(bool isHttp2)
    {
        Backend.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        };
        using var client = new ClientWebSocket();
        (client.Options.HttpVersion, client.Options.HttpVersionPolicy) = (isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11, HttpVersionPolicy.RequestVersionExact);
        client.Options.CollectHttpResponseDetails = true;
        using var connections = new HttpMessageInvoker(new SocketsHttpHandler());

        await Assert.ThrowsAsync<WebSocketException>(() => client.ConnectAsync(new Uri($"ws://{Proxy.Address}/ws"), connections, CancellationToken.None));

        Assert.Equal(HttpStatusCode.Forbidden, client.HttpStatusCode);
    }

    private static async Task EchoMessagesAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("chat");
        var buffer = new byte[1 << 20];
        while (await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
        {
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static async Task<string> ReceiveAsync(WebSocket client)
    {
        var buffer = new byte[1 << 20];
        var count = 0;
        ValueWebSocketReceiveResult received;
        do
        {
            received = await client.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None).AsTask().WaitAsync(10 * Second, TimeProvider.System);
            count += received.Count;
        }
        while (!received.EndOfMessage);

        return Encoding.ASCII.GetString(buffer, 0, count);
    }

    private static async Task EchoAsync(HttpContext context)
    {
        await context.Response.Body.FlushAsync();
        var buffer = new byte[100];
        while (await context.Request.Body.ReadAsync(buffer) is > 0 and var count)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    // One chunk.
    private static string Unchunked(string message)
    {
        var (head, body) = (message[..(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)], message[(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
        return head.Contains("chunked", StringComparison.Ordinal) ? head + body[(body.IndexOf("\r\n", StringComparison.Ordinal) + 2)..^7] : message;
    }

    private Task<ApplicationState> SwitchAsync(IPEndPoint address, string container = "c1", Action<ApplicationSnapshot>? change = null) =>
        Proxy.SwitchAsync(address, container, snapshot =>
        {
            snapshot.Target = RunningProxy.H2cTargetAt(address, container);
            change?.Invoke(snapshot);
        });
}
