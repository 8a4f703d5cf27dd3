using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Answers of applications that speak HTTP/2 to clients that read slowly, or not at all for a while.</summary>
public sealed class H2cBufferingTests : IAsyncLifetime
{
    // More than the kernel takes for a client that reads nothing.
    private const int Large = 24_000_000;
    private const string Get = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

    private static readonly byte[] Body = [.. Enumerable.Range(0, Large).Select(i => (byte)('a' + ((i + (i / 1000)) % 23)))];

    private RunningProxy _proxy = null!;
    private GrpcBackend _one = null!;
    private GrpcBackend _two = null!;

    public async ValueTask InitializeAsync()
    {
        _proxy = await RunningProxy.StartAsync();
        (_one, _two) = (await GrpcBackend.StartAsync("one"), await GrpcBackend.StartAsync("two"));
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Replaced_release_may_stop_when_it_has_given_all_though_its_client_has_read_nothing(bool hasLength)
    {
        _one.Answer = context => AnswerAsync(context, hasLength);
        await SwitchAsync(_one);
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Get);
        await UntilAsync(use => use.Delivering == 1);

        var state = await SwitchAsync(_two);

        Assert.Equal(0, state.Targets.Single(target => target.Target.Revision == "one").InFlight);
        await _one.DisposeAsync();
        await client.ReadHeadAsync();
        Assert.Equal(Body, hasLength ? await ReadAsync(client, Large) : await ReadChunksAsync(client));
        await UntilAsync(use => use is { MemoryBytes: 0, DiskBytes: 0, Delivering: 0 });
    }

    [Fact]
    public async Task Answer_to_a_client_of_http_2_comes_whole_with_its_trailers()
    {
        _one.Answer = async context =>
        {
            context.Response.DeclareTrailer("X-Sum");
            await AnswerAsync(context, hasLength: false);
            context.Response.AppendTrailer("X-Sum", "24");
        };
        await SwitchAsync(_one);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{_proxy.Address}"), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var answer = await client.GetAsync(new Uri("/a", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await UntilAsync(use => use.ReadAhead == 1);

        Assert.Equal(Body, await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal("24", answer.TrailingHeaders.GetValues("X-Sum").Single());
    }

    [Theory]
    [InlineData("text/event-stream", "")]
    [InlineData("text/plain", "no")]
    public async Task Answer_whose_pieces_mean_something_is_given_at_the_clients_pace(string type, string buffering)
    {
        _one.Answer = async context =>
        {
            context.Response.ContentType = type;
            if (buffering.Length > 0)
                context.Response.Headers["X-Accel-Buffering"] = buffering;
            await context.Response.Body.WriteAsync(Body);
        };
        await SwitchAsync(_one);
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Get);
        await client.ReadHeadAsync();

        await Eventually.PassAsync(TimeSpan.FromMilliseconds(300));

        Assert.Equal((0, 0), await UseAsync() is var use ? (use.MemoryBytes, use.ReadAhead) : default);
    }

    [Fact]
    public async Task Client_that_takes_nothing_is_cut_when_the_drain_of_its_release_is_over()
    {
        _one.Answer = context => AnswerAsync(context, hasLength: true);
        await SwitchAsync(_one, new Buffering { Memory = 1 << 20, MaxAnswer = 2 << 20 });
        await using var client = await _proxy.ConnectAsync();
        await client.SendAsync(Get);
        await UntilAsync(use => use.ReadAhead == 1);

        await SwitchAsync(_two);

        await _proxy.UntilAsync(state => state.Targets.Single(target => target.Target.Revision == "one") is { InFlight: 0, Streams: 0 });
        Assert.Null(await client.TryReadToEndAsync());
    }

    // What still needs the former release is cut at once.
    private Task<ApplicationState> SwitchAsync(GrpcBackend release, Buffering? buffering = null) => _proxy.SwitchAsync(release.Address, release.Name, snapshot =>
    {
        snapshot.Target = RunningProxy.H2cTargetAt(release.Address, release.Name);
        snapshot.Buffering = buffering ?? new Buffering();
        (snapshot.DrainTimeout, snapshot.StreamDrainTimeout) = (TimeSpan.Zero, TimeSpan.Zero);
    });

    private static async Task AnswerAsync(HttpContext context, bool hasLength)
    {
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = hasLength ? Large : null;
        await context.Response.Body.WriteAsync(Body);
    }

    private static async Task<byte[]> ReadAsync(RawConnection client, int count) => System.Text.Encoding.Latin1.GetBytes(await client.ReadAsync(count));

    private static async Task<byte[]> ReadChunksAsync(RawConnection client)
    {
        var body = new List<byte>(Large);
        while (int.Parse((await client.ReadUntilAsync("\r\n")).AsSpan().TrimEnd(), System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) is > 0 and var size)
        {
            body.AddRange(await ReadAsync(client, size));
            await client.ReadAsync(2);
        }

        return [.. body];
    }

    private async Task<BufferUse> UseAsync() => (await _proxy.StatusAsync()).Buffers;

    private Task UntilAsync(Func<BufferUse, bool> isAsExpected) => Eventually.HoldsAsync("buffers are as expected", async _ => isAsExpected(await UseAsync()), TimeSpan.FromSeconds(10));
}
