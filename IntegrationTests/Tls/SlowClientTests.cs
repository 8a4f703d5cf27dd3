using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Slow clients that speak TLS, while their release is replaced.</summary>
public sealed class SlowClientTests : IAsyncLifetime
{
    // More than the kernel takes for a client that reads nothing.
    private const int Large = 24_000_000;
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TestAuthority _authority = new();
    private readonly RawBackend _one = new();
    private readonly RawBackend _two = new();
    private RunningProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync(_authority.Offer);
        await SwitchAsync(_one, "one");
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        _authority.Dispose();
    }

    [Fact]
    public async Task Answer_that_a_replaced_release_has_given_reaches_its_client_whole()
    {
        await using var client = await _authority.ConnectAsync(_proxy);
        await client.SendAsync($"GET /a HTTP/1.1\r\nHost: {TestAuthority.Host}\r\n\r\n");
        await using var application = await _one.AcceptedSendingAsync();
        var body = new string('a', Large);
        await application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n{body}");
        await UntilAsync(use => use.Delivering == 1);

        var state = await SwitchAsync(_two, "two");

        Assert.Equal(0, state.Targets[1].InFlight);
        await application.WaitForEndAsync();
        await client.ReadHeadAsync();
        Assert.Equal(body, await client.ReadAsync(Large));
        await UntilAsync(use => use is { MemoryBytes: 0, DiskBytes: 0, Delivering: 0 });
    }

    [Fact]
    public async Task Request_goes_to_the_release_that_is_active_when_its_body_is_whole()
    {
        await using var client = await _authority.ConnectAsync(_proxy);
        await client.SendAsync($"POST /a HTTP/1.1\r\nHost: {TestAuthority.Host}\r\nContent-Length: 6\r\n\r\nabc");
        await UntilAsync(use => use is { Collecting: 1, MemoryBytes: > 0 });
        await SwitchAsync(_two, "two");

        await client.SendAsync("def");

        await using var application = await _two.AcceptedSendingAsync();
        Assert.Equal("abcdef", await application.ReadAsync(6));
        await application.SendAsync(Ok);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        Assert.Equal(0, _one.Accepted);
    }

    // What still needs the former release is cut at once.
    private Task<ApplicationState> SwitchAsync(RawBackend backend, string container) => _proxy.SwitchAsync(
        backend.Address, container, snapshot => (snapshot.Buffering, snapshot.DrainTimeout, snapshot.StreamDrainTimeout) = (new Buffering(), TimeSpan.Zero, TimeSpan.Zero));

    private Task UntilAsync(Func<BufferUse, bool> isAsExpected) =>
        Eventually.HoldsAsync("buffers are as expected", async _ => isAsExpected((await _proxy.StatusAsync()).Buffers));
}
