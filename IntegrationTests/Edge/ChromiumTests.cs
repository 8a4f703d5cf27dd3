using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Playwright;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.IntegrationTests.StatusPage;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>A real browser before the Proxy: TLS that it checks, HTTP/2, compressed answers, events and WebSockets, and a switch under all of it.</summary>
public sealed class ChromiumTests(TrustingBrowser browser) : IClassFixture<TrustingBrowser>, IAsyncLifetime
{
    private static readonly string Text = string.Concat(Enumerable.Range(0, 5000).Select(i => string.Create(CultureInfo.InvariantCulture, $"{i * 7919 % 1000} of {i} äöü\n")));

    private GrpcBackend _one = null!;
    private GrpcBackend _two = null!;
    private RunningProxy _proxy = null!;
    private Tab? _tab;

    public async ValueTask InitializeAsync()
    {
        _one = await StartAsync("one");
        _two = await StartAsync("two");
        _proxy = await RunningProxy.StartAsync(browser.Authority.Offer);
        await SwitchAsync(_one);
    }

    public async ValueTask DisposeAsync()
    {
        await (_tab?.DisposeAsync() ?? default);
        await _proxy.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
    }

    [Theory]
    [InlineData("none", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br", "br")]
    [InlineData("zstd", "zstd")]
    public async Task Answer_comes_whole_by_http_2_whether_the_proxy_or_the_application_has_compressed_it(string applications, string received)
    {
        var page = await OpenAsync();

        var answer = await page.EvaluateAsync<string[]>("""
            async coding => {
              const answer = await fetch(`/text?${coding}`);
              const text = await answer.text();
              const entry = performance.getEntriesByType("resource").at(-1);
              return [text, entry.nextHopProtocol, answer.headers.get("content-encoding")];
            }
            """, applications);

        Assert.Equal([Text, "h2", received], answer);
        Assert.Equal("h2", await page.EvaluateAsync<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol"));
    }

    [Fact]
    public async Task Events_and_a_web_socket_share_the_connection_of_the_page()
    {
        var page = await OpenAsync();

        var heard = await page.EvaluateAsync<string[]>("""
            () => Promise.all([
              new Promise(resolve => new EventSource("/events").onmessage = event => resolve(event.data)),
              new Promise(resolve => {
                const socket = new WebSocket(`wss://${location.host}/socket`);
                socket.onopen = () => socket.send("hello");
                socket.onmessage = event => resolve(event.data);
              }),
            ])
            """);

        Assert.Equal(["one", "one heard hello"], heard);
        await Eventually.HoldsAsync("there is one connection", async _ => (await _proxy.StatusAsync()).Connections.Values.Sum() == 1);
    }

    [Fact]
    public async Task Page_that_is_open_sees_no_failure_when_its_release_is_replaced()
    {
        var page = await OpenAsync();
        await page.EvaluateAsync("""
            () => {
              const seen = window.seen = { names: [], events: [], closes: [], failures: [] };
              const note = (list, value) => list.includes(value) || list.push(value);
              const connect = () => {
                const socket = new WebSocket(`wss://${location.host}/socket`);
                socket.onclose = event => { note(seen.closes, event.code); connect(); };
              };
              const ask = async () => {
                try {
                  const answer = await fetch("/name");
                  note(answer.ok ? seen.names : seen.failures, answer.ok ? await answer.text() : answer.status);
                } catch (error) {
                  note(seen.failures, String(error));
                }
                setTimeout(ask, 5);
              };
              new EventSource("/events").onmessage = event => note(seen.events, event.data);
              connect();
              ask();
              ask();
            }
            """);
        await SeesAsync(page, "names.includes('one') && seen.events.includes('one')");

        await SwitchAsync(_two);

        await SeesAsync(page, "names.includes('two') && seen.events.includes('two') && seen.closes.length > 0");
        Assert.Equal("1001", await page.EvaluateAsync<string>("seen.closes.join()"));
        Assert.Empty(await page.EvaluateAsync<string[]>("seen.failures.map(String)"));
        await _proxy.UntilAsync(state => state.Targets.Single(target => target.Target.Revision == "one").Drain is null);
    }

    private static Task<IJSHandle> SeesAsync(IPage page, string what) => page.WaitForFunctionAsync($"seen.{what}");

    private Task<ApplicationState> SwitchAsync(GrpcBackend release) => _proxy.SwitchAsync(release.Address, release.Name, snapshot =>
    {
        snapshot.Buffering = new Buffering();
        snapshot.Compression = new Compression();
        snapshot.Tls = new TlsSettings { Hsts = new Hsts() };
        snapshot.StreamDrainTimeout = TimeSpan.FromSeconds(2);
    });

    private async Task<IPage> OpenAsync()
    {
        _tab = await browser.OpenAsync();
        await _tab.Page.GotoAsync($"https://{TestAuthority.Host}:{_proxy.TlsAddress.Port}/");
        return _tab.Page;
    }

    private static async Task<GrpcBackend> StartAsync(string name)
    {
        var release = await GrpcBackend.StartAsync(name, protocol: HttpProtocols.Http1);
        release.Answer = context => context.Request.Path.Value switch
        {
            "/" => AnswerAsync(context, "text/html", Encoding.UTF8.GetBytes("<!doctype html><title>shop</title><link rel=icon href=data:,>")),
            "/text" => AnswerCodedAsync(context, context.Request.QueryString.Value!.TrimStart('?')),
            "/events" => TellAsync(context, name),
            "/socket" => EchoAsync(context, name),
            _ => AnswerAsync(context, "text/plain", Encoding.UTF8.GetBytes(name)),
        };
        return release;
    }

    private static async Task AnswerAsync(HttpContext context, string type, byte[] body)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }

    private static Task AnswerCodedAsync(HttpContext context, string coding)
    {
        if (coding != "none")
            context.Response.Headers.ContentEncoding = coding;
        return AnswerAsync(context, "text/plain; charset=utf-8", Encode(coding, Encoding.UTF8.GetBytes(Text)));
    }

    private static byte[] Encode(string coding, byte[] plain)
    {
        using var coded = new MemoryStream();
        switch (coding)
        {
            case "gzip":
                using (var gzip = new GZipStream(coded, CompressionLevel.Fastest, leaveOpen: true))
                    gzip.Write(plain);
                return coded.ToArray();
            case "br":
                using (var brotli = new BrotliStream(coded, CompressionLevel.Fastest, leaveOpen: true))
                    brotli.Write(plain);
                return coded.ToArray();
            default:
                return coding == "zstd" ? Frame(plain) : plain;
        }
    }

    // .NET has no zstd: one block, as it is. Source: RFC 8878, section 3.1.1.
    private static byte[] Frame(byte[] plain)
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 0, 0, 0, 0, .. plain];
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(5), plain.Length);
        var block = (plain.Length << 3) | 1;
        (frame[9], frame[10], frame[11]) = ((byte)block, (byte)(block >> 8), (byte)(block >> 16));
        return frame;
    }

    private static async Task TellAsync(HttpContext context, string name)
    {
        context.Response.ContentType = "text/event-stream";
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.WriteAsync($"retry: 50\ndata: {name}\n\n", CancellationToken.None);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task EchoAsync(HttpContext context, string name)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, CancellationToken.None) is { MessageType: WebSocketMessageType.Text } message)
            await socket.SendAsync(Encoding.UTF8.GetBytes($"{name} heard {Encoding.UTF8.GetString(buffer, 0, message.Count)}"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        await socket.CloseAsync(socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }
}
