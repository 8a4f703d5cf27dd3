using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>How much of an answer is passed on.</summary>
public sealed class AnswerLimitTests : IAsyncLifetime
{
    private const int Most = 1000;
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    private const string Compressed = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n";

    private readonly RawBackend _backend = new();
    private RunningProxy? _running;

    private RunningProxy Proxy => _running!;

    public async ValueTask InitializeAsync()
    {
        _running = await RunningProxy.StartAsync();
        await Proxy.SwitchAsync(_backend.Address, "c1", snapshot =>
        {
            snapshot.Limits = new Limits { MaxAnswerBody = Most };
            snapshot.Compression = new Compression();
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Proxy.DisposeAsync();
        await _backend.DisposeAsync();
    }

    [Fact]
    public async Task Answer_that_says_that_it_is_too_long_is_replaced_by_502_and_nothing_of_it_is_given()
    {
        _backend.AnswerAll($"HTTP/1.1 200 OK\r\nX-Secret: a\r\nContent-Length: {Most + 1}\r\n\r\n{new string('x', Most + 1)}");

        var answer = await Proxy.ExchangeAsync(Get);

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.Contains("larger than is passed on", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Secret", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("xx", answer, StringComparison.Ordinal);
        var state = await Proxy.UntilAsync(s => s.Total.Requests > 0);
        Assert.Equal(1, state.Targets[0].Traffic.ByStatus[502]);
    }

    [Theory]
    [InlineData(Get, "")]
    [InlineData(Compressed, "Content-Type: text/plain\r\n")]
    public async Task Answer_is_as_long_as_it_may_be_however_it_is_framed(string request, string header)
    {
        var body = new string('x', Most);
        foreach (var framed in (string[])[$"Content-Length: {Most}\r\n\r\n{body}", $"Transfer-Encoding: chunked\r\n\r\n3E8\r\n{body}\r\n0\r\n\r\n", $"Connection: close\r\n\r\n{body}"])
        {
            _backend.AnswerAll($"HTTP/1.1 200 OK\r\n{header}{framed}");

            await Proxy.ExchangeAsync(request);
        }

        var state = await Proxy.UntilAsync(s => s.Total.Requests == 3);
        Assert.Equal(3, state.Targets[0].Traffic.ByStatus[200]);
    }

    [Theory]
    [InlineData(Get, "Transfer-Encoding: chunked\r\n\r\n3E8\r\n", "\r\n1\r\ny\r\n0\r\n\r\n")]
    [InlineData(Compressed, "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n3E8\r\n", "\r\n1\r\ny\r\n0\r\n\r\n")]
    [InlineData(Get, "Connection: close\r\n\r\n", "y")]
    public async Task Answer_that_gets_too_long_is_broken_off_and_the_client_does_not_take_it_for_whole(string request, string beginning, string more)
    {
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(request);
        await using var application = await _backend.AcceptedSendingAsync();

        await application.SendAsync($"HTTP/1.1 200 OK\r\n{beginning}{new string('x', Most)}");
        await client.ReadHeadAsync();
        await application.SendAsync(more);

        Assert.DoesNotContain("\r\n0\r\n", await client.TryReadToEndAsync() ?? "cut", StringComparison.Ordinal);
        await application.WaitForEndAsync();
        await Proxy.UntilAsync(state => state.Targets[0] is { InFlight: 0, Traffic.Requests: 1 });
    }

    [Fact]
    public async Task Events_have_no_end_that_could_be_too_far()
    {
        await using var client = await Proxy.ConnectAsync();
        await client.SendAsync(Get);
        await using var application = await _backend.AcceptedSendingAsync();
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");

        for (var i = 0; i < 3; i++)
        {
            await application.SendAsync($"3E8\r\n{new string('x', Most)}\r\n");
            await client.ReadUntilAsync(new string('x', Most));
        }

        await application.SendAsync("0\r\n\r\n");
        Assert.NotNull(await client.TryReadToEndAsync());
    }

    [Fact]
    public async Task Answer_without_a_body_may_name_any_length()
    {
        _backend.AnswerAll($"HTTP/1.1 200 OK\r\nContent-Length: {10 * Most}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200 ", await Proxy.ExchangeAsync(Get.Replace("GET", "HEAD", StringComparison.Ordinal)), StringComparison.Ordinal);
    }
}
