using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>The calls that the status page makes, and those that bring it.</summary>
public sealed class PageCallsTests : IAsyncLifetime
{
    private readonly FakeOperations _operations = new();
    private AdminApi _api = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await AdminApi.StartAsync(
            new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))), _operations, Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, default);
        _client = new HttpClient { BaseAddress = new Uri(_api.BoundAddress) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page/page.js", "text/javascript")]
    [InlineData("/page/page.css", "text/css")]
    [InlineData("/page/icon.svg", "image/svg+xml")]
    public async Task File_of_the_page_allows_nothing_but_files_of_the_page(string path, string mediaType)
    {
        using var answer = await _client.GetAsync(path);

        Assert.Equal(mediaType, answer.Content.Headers.ContentType?.MediaType);
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
    }

    [Fact]
    public async Task File_that_a_browser_has_already_is_not_sent_again()
    {
        using var first = await _client.GetAsync("/page/page.js");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/page/page.js") { Headers = { IfNoneMatch = { first.Headers.ETag! } } };

        using var again = await _client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.True(first.Headers.CacheControl?.NoCache);
    }

    [Theory]
    [InlineData("/page/secret.js")]
    [InlineData("/page/..%2fopenapi.json")]
    [InlineData("/page/page")]
    public async Task What_is_no_file_of_the_page_is_not_found(string path)
    {
        using var answer = await _client.GetAsync(path);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Page_names_nothing_that_is_elsewhere()
    {
        foreach (var name in typeof(AdminApi).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("StatusPage/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(typeof(AdminApi).Assembly.GetManifestResourceStream(name)!);
            var elsewhere = (await reader.ReadToEndAsync()).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotContain("://", elsewhere, StringComparison.Ordinal);
            Assert.DoesNotContain("innerHTML", elsewhere, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"End":true,"Extend":"5m"}""")]
    [InlineData("""{"End":true,"Hash":"../x"}""")]
    [InlineData("""{"Extend":"0s"}""")]
    [InlineData("""{"Extend":"soon"}""")]
    [InlineData("""{"End":true,"Force":true}""")]
    public async Task Unclear_order_about_drains_is_refused_and_reaches_nobody(string body)
    {
        using var answer = await _client.PostAsync("/drain", new StringContent(body));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("nothing was changed", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Theory]
    [InlineData("NotDraining", HttpStatusCode.Conflict)]
    [InlineData("ProxyUnavailable", HttpStatusCode.ServiceUnavailable)]
    public async Task Refused_order_about_drains_says_why(string refusal, HttpStatusCode status)
    {
        _operations.Drained = new DrainOutcome.Refused(Enum.Parse<DrainRefusal>(refusal), "Because of this.");

        using var answer = await _client.PostAsync("/drain", new StringContent("""{"End":true}"""));

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains("Because of this.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_that_cannot_be_read_says_why()
    {
        _operations.Error = new HistoryException("shop/history.json is no history.");

        using var answer = await _client.GetAsync("/history");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Contains("shop/history.json is no history.", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
