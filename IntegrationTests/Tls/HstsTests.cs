using System.Net;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Who tells browsers to use HTTPS only (RFC 6797).</summary>
public sealed class HstsTests : ServedOverTls
{
    private const string Header = "Strict-Transport-Security";

    [Theory]
    [InlineData(365, false, false, "max-age=31536000")]
    [InlineData(730, true, true, "max-age=63072000; includeSubDomains; preload")]
    [InlineData(0, false, false, "max-age=0")]
    public async Task Answers_over_tls_say_what_the_application_has_set(int days, bool subdomains, bool preload, string expected)
    {
        await SetAsync(new Hsts { MaxAgeDays = days, IncludeSubdomains = subdomains, Preload = preload });
        Backend.AnswerAll(Ok);

        Assert.Equal([expected], await AskAsync(HttpVersion.Version11));
        Assert.Equal([expected], await AskAsync(HttpVersion.Version20));
    }

    [Fact]
    public async Task Answers_without_tls_say_nothing()
    {
        await SetAsync(new Hsts());
        Backend.AnswerAll(Ok);
        await using var client = await Proxy.ConnectAsync();

        await client.SendAsync(Get);

        Assert.DoesNotContain(Header, await client.ReadMessageAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Answers_of_the_proxy_say_it_too_and_once()
    {
        await SetAsync(new Hsts(), snapshot => snapshot.Maintenance = new MaintenancePage());

        Assert.Equal(["max-age=31536000"], await AskAsync(HttpVersion.Version11, HttpStatusCode.ServiceUnavailable));
        await SetAsync(new Hsts());
        await Backend.DisposeAsync();
        Assert.Equal(["max-age=31536000"], await AskAsync(HttpVersion.Version11, HttpStatusCode.BadGateway));
    }

    [Fact]
    public async Task What_the_application_says_itself_comes_first()
    {
        await SetAsync(new Hsts());
        Backend.AnswerAll($"HTTP/1.1 200 OK\r\n{Header}: max-age=5\r\nContent-Length: 2\r\n\r\nok");

        Assert.Equal(["max-age=5"], await AskAsync(HttpVersion.Version11));
    }

    [Fact]
    public async Task Nothing_is_said_unless_it_is_set()
    {
        Backend.AnswerAll(Ok);

        Assert.Empty(await AskAsync(HttpVersion.Version11));
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(3651, false)]
    [InlineData(365, true)]
    public async Task Snapshot_that_a_browser_could_not_follow_is_refused(int days, bool preload)
    {
        var snapshot = Proxy.SnapshotOf(RunningProxy.TargetAt(Backend.Address));
        snapshot.Tls = new TlsSettings { Hsts = new Hsts { MaxAgeDays = days, Preload = preload } };

        var (status, body) = await Proxy.PutAsync(snapshot);

        Assert.NotEqual(HttpStatusCode.OK, status);
        Assert.Contains("Tls.Hsts", body, StringComparison.Ordinal);
    }

    private Task<ApplicationState> SetAsync(Hsts hsts, Action<ApplicationSnapshot>? change = null) => Proxy.SwitchAsync(Backend.Address, change: snapshot =>
    {
        snapshot.Tls = new TlsSettings { Hsts = hsts };
        change?.Invoke(snapshot);
    });

    private async Task<string[]> AskAsync(Version version, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var client = ClientFor(version);
        using var answer = await client.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal(status, answer.StatusCode);
        return answer.Headers.TryGetValues(Header, out var values) ? [.. values] : [];
    }
}
