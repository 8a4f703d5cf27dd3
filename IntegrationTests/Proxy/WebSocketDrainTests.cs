using System.Net;
using System.Net.WebSockets;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What becomes of WebSockets whose release is replaced.</summary>
public sealed class WebSocketDrainTests : ReplacedRelease
{
    // Streams have it; their last 5 s are for the answers to the Proxy's Close.
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Both_sides_are_told_1001_within_the_window_and_their_answers_end_the_drain()
    {
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        await socket.AssertPassesAsync("still served");

        Time.Advance(Window - Grace);

        await socket.AssertToldAsync();
        await socket.AnswerAsync();
        await socket.AssertEndsAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Client_library_sees_an_endpoint_that_goes_away()
    {
        using var client = new ClientWebSocket();
        var connecting = client.ConnectAsync(new Uri($"ws://{Proxy.Address}/ws"), CancellationToken.None);
        await using var application = await One.AcceptedAsync();
        await WebSocketPair.AcceptAsync(application);
        await connecting.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        await application.SendAsync(WebSocketFrame.Of("hello", isMasked: false));
        Assert.Equal("hello", await ReceiveAsync(client));

        await ReplaceAsync();
        Time.Advance(Window - Grace);

        Assert.Equal("", await ReceiveAsync(client));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, client.CloseStatus);
        await application.ReadAsync(8);
        await application.SendAsync(WebSocketFrame.GoingAway);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        await application.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Closes_are_spread_over_the_window()
    {
        const int count = 40;
        var sockets = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => OpenAsync()));
        await ReplaceAsync();

        for (var quarter = 1; quarter <= 4; quarter++)
        {
            Time.Advance((Window - Grace) / 4);
            var expected = quarter * count / 4;
            await Eventually.HoldsAsync($"{expected} sockets are told", () => Told() > expected - 4);
            Assert.InRange(Told(), expected - 3, expected + 3);
        }

        Assert.Equal(count, Told());
        foreach (var socket in sockets)
        {
            await socket.DisposeAsync();
        }

        int Told() => sockets.Count(socket => socket.Client.HasUnread);
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(10_000, true)]
    [InlineData(100_000, true)]
    [InlineData(100, false)]
    [InlineData(10_000, false)]
    [InlineData(100_000, false)]
    public async Task Message_on_its_way_is_not_broken_by_the_close(int length, bool isFromClient)
    {
        await using var socket = await OpenAsync();
        var (source, sink) = isFromClient ? (socket.Client, socket.Application) : (socket.Application, socket.Client);
        var frame = WebSocketFrame.Of(new string('x', length), isFromClient);
        await source.SendAsync(frame[..(length / 2)]);
        Assert.Equal(frame[..(length / 2)], await sink.ReadAsync(length / 2));

        await ReplaceAsync();
        Time.Advance(Window - Grace);
        await (isFromClient ? socket.AssertClientToldAsync() : socket.AssertApplicationToldAsync());
        await source.SendAsync(frame[(length / 2)..]);

        Assert.Equal(frame[(length / 2)..], await sink.ReadAsync(frame.Length - (length / 2)));
        await (isFromClient ? socket.AssertApplicationToldAsync() : socket.AssertClientToldAsync());
        await socket.AnswerAsync();
        await socket.AssertEndsAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Frames_pass_whole_and_in_order_up_to_the_close_however_they_come_in_pieces(int seed)
    {
        var random = new Random(seed);
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        var sent = RandomFrames(random);
        var sending = SendInPiecesAsync(socket.Client, string.Concat(sent), random);
        var passed = await socket.Application.ReadAsync(sent[0].Length);

        Time.Advance(Window - Grace);
        await sending;
        await socket.AssertClientToldAsync();
        await socket.Client.SendAsync(WebSocketFrame.Close(1001, isMasked: true));
        await socket.Application.SendAsync(WebSocketFrame.GoingAway);

        passed += await socket.Application.TryReadToEndAsync();
        var whole = passed[..^8];
        Assert.StartsWith("\x88\x82", passed[^8..], StringComparison.Ordinal);
        Assert.Contains(whole, sent.Select((_, i) => string.Concat(sent.Take(i + 1))));
    }

    [Fact]
    public async Task Close_comes_between_the_fragments_of_a_message_that_is_not_ended()
    {
        await using var socket = await OpenAsync();
        var fragment = WebSocketFrame.Of("begun", isMasked: true, isFinal: false);
        await socket.Client.SendAsync(fragment);
        await socket.Application.ReadAsync(fragment.Length);
        await ReplaceAsync();

        Time.Advance(Window - Grace);

        await socket.AssertToldAsync();
    }

    [Fact]
    public async Task Nothing_is_passed_on_behind_the_close()
    {
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        Time.Advance(Window - Grace);
        await socket.AssertToldAsync();

        await socket.Client.SendAsync(WebSocketFrame.Of("too late", isMasked: true));
        await socket.Application.SendAsync(WebSocketFrame.Of("too late", isMasked: false));
        await socket.AnswerAsync();

        await socket.AssertEndsAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Side_that_closes_by_itself_is_left_alone(bool isClient)
    {
        await using var socket = await OpenAsync();
        var (closing, other) = isClient ? (socket.Client, socket.Application) : (socket.Application, socket.Client);
        await closing.SendAsync(WebSocketFrame.Close(1000, isClient));
        Assert.Equal(WebSocketFrame.Close(1000, isClient), await other.ReadAsync(WebSocketFrame.Close(1000, isClient).Length));

        await ReplaceAsync();
        Time.Advance(Window - Grace);
        await other.SendAsync(WebSocketFrame.Close(1000, !isClient));

        Assert.Equal(WebSocketFrame.Close(1000, !isClient), await closing.ReadAsync(WebSocketFrame.Close(1000, !isClient).Length));
        await socket.Application.DisposeAsync();
        Assert.Equal("", await socket.Client.ReadToEndAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Side_that_does_not_answer_is_cut_when_the_grace_is_over(bool clientAnswers)
    {
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        Time.Advance(Window - Grace);
        await socket.AssertToldAsync();
        var (answering, silent) = clientAnswers ? (socket.Client, socket.Application) : (socket.Application, socket.Client);
        await answering.SendAsync(WebSocketFrame.Close(1001, clientAnswers));
        Assert.Equal(1, (await Proxy.StateAsync()).Targets[1].Streams);

        Time.Advance(Grace);

        await silent.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Side_that_never_ends_its_frame_is_cut_when_the_window_is_over()
    {
        await using var socket = await OpenAsync();
        await socket.Client.SendAsync(WebSocketFrame.Head(1000, isMasked: true));
        await socket.Application.ReadAsync(8);
        await ReplaceAsync();

        Time.Advance(Window - TimeSpan.FromMilliseconds(1));
        await socket.AssertClientToldAsync();
        Assert.Equal(1, (await Proxy.StateAsync()).Targets[1].Streams);
        Time.Advance(TimeSpan.FromMilliseconds(1));

        await socket.Client.WaitForEndAsync();
        await socket.Application.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Client_that_does_not_read_is_cut_when_the_window_is_over()
    {
        await using var socket = await OpenAsync();
        var sending = socket.Application.TrySendAsync(WebSocketFrame.Of(new string('x', 30_000_000), isMasked: false));
        await ReplaceAsync();

        Time.Advance(Window);

        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
        Assert.False(await sending);
    }

    [Fact]
    public async Task Socket_without_any_time_is_told_all_the_same()
    {
        await using var socket = await OpenAsync();

        await ReplaceAsync(TimeSpan.Zero, TimeSpan.Zero);

        await socket.AssertToldAsync();
        await socket.AnswerAsync();
        await socket.AssertEndsAsync();
    }

    [Fact]
    public async Task Proxy_that_stops_tells_both_sides_and_waits_for_their_answers()
    {
        await using var socket = await OpenAsync();

        var stopping = Proxy.Host.StopAsync(CancellationToken.None);
        Time.Advance(TimeSpan.FromSeconds(5) * 3 / 4);

        await socket.AssertToldAsync();
        Assert.False(stopping.IsCompleted);
        await socket.AnswerAsync();
        await socket.AssertEndsAsync();
        await stopping.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Fact]
    public async Task Socket_of_a_container_that_serves_again_is_not_told()
    {
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        await ComeBackAsync();

        Time.Advance(2 * Window);

        await socket.AssertPassesAsync("served again");
    }

    [Fact]
    public async Task Order_to_end_tells_both_sides_at_once_and_cuts_who_does_not_answer_after_a_second()
    {
        await using var answering = await OpenAsync();
        await using var silent = await OpenAsync();
        await ReplaceAsync();

        Assert.Equal(HttpStatusCode.OK, (await Proxy.DrainAsync(new DrainRequest { Installation = "i1", End = true })).Status);
        Time.Advance(TimeSpan.Zero);

        await answering.AssertToldAsync();
        await silent.AssertToldAsync();
        await answering.AnswerAsync();
        await answering.AssertEndsAsync();
        Time.Advance(TimeSpan.FromSeconds(1));
        await silent.Client.WaitForEndAsync();
        await silent.Application.WaitForEndAsync();
        await Proxy.UntilAsync(s => s.Targets[1].Streams == 0);
    }

    [Fact]
    public async Task Order_to_extend_spreads_the_sockets_that_were_not_told_over_the_new_window()
    {
        await using var socket = await OpenAsync();
        await ReplaceAsync();
        var order = new DrainRequest { Installation = "i1", StreamDrainTimeout = 10 * Window };
        Assert.Equal(HttpStatusCode.OK, (await Proxy.DrainAsync(order)).Status);

        Time.Advance(2 * Window);
        await socket.AssertPassesAsync("more time");
        Time.Advance((8 * Window) - Grace);

        await socket.AssertToldAsync();
    }

    private Task<WebSocketPair> OpenAsync() => WebSocketPair.OpenAsync(Proxy, One);

    private Task<ApplicationState> ReplaceAsync() => ReplaceAsync(Window, Window);

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[100];
        var received = await client.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        return Encoding.ASCII.GetString(buffer, 0, received.Count);
    }

    private static List<string> RandomFrames(Random random) =>
        [.. Enumerable.Range(0, 60).Select(i => WebSocketFrame.Of(
            string.Concat(Enumerable.Range(0, random.Next(10) == 0 ? 70_000 : random.Next(400)).Select(_ => (char)random.Next(256))), isMasked: true, i % 3, i % 3 == 2))];

    private static async Task SendInPiecesAsync(RawConnection connection, string text, Random random)
    {
        for (var sent = 0; sent < text.Length;)
        {
            var count = Math.Min(random.Next(1, random.Next(2) == 0 ? 20 : 5000), text.Length - sent);
            await connection.SendAsync(text.Substring(sent, count));
            sent += count;
        }
    }
}
