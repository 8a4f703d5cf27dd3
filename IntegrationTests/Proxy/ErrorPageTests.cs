using System.Net;
using System.Text.Json;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What clients see where the Proxy answers in the place of the application.</summary>
public class ErrorPageTests
{
    private const string Html = "Accept: text/html,*/*;q=0.8\r\n";
    private const string Json = "Accept: application/json\r\n";

    private static readonly Dictionary<string, string> Pages = new() { ["502"] = "<h1>ours {status} {request_id}</h1>", ["5xx"] = "<h1>class {status}</h1>", ["4xx"] = "<h1>bad {status}: {detail}</h1>" };

    [Fact]
    public async Task Browser_sees_the_applications_own_page_for_the_status_before_that_of_its_class()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { AnswerRequestId = true });
        await AwayAsync(proxy, Pages);

        var answer = await AskAsync(proxy, Html);

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.EndsWith($"<h1>ours 502 {IdIn(answer)}</h1>", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: text/html; charset=utf-8\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_of_the_class_is_for_all_other_statuses_of_it()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, Pages, change: snapshot => snapshot.IsPaused = true);

        Assert.EndsWith("<h1>class 503</h1>", await AskAsync(proxy, Html), StringComparison.Ordinal);
        Assert.EndsWith("<h1>bad 405: The method TRACE is not served.</h1>", await AskAsync(proxy, Html, "TRACE"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_built_in_is_shown_where_the_application_has_none()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, []);

        var answer = await AskAsync(proxy, Html);

        Assert.Contains("<h1>This site can't be reached at the moment</h1>", WebUtility.HtmlDecode(answer), StringComparison.Ordinal);
        Assert.Contains("Error 502", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\nServer:", answer, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("wunderproxy", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Program_gets_a_problem_document_and_curl_text_whatever_pages_there_are()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { AnswerRequestId = true });
        await AwayAsync(proxy, Pages);

        var program = await AskAsync(proxy, Json);
        var curl = await AskAsync(proxy, "Accept: */*\r\n");

        using var problem = JsonDocument.Parse(BodyOf(program));
        Assert.Equal(
            ("about:blank", "Bad gateway", 502, "The application could not be reached.", IdIn(program)),
            (problem.RootElement.GetProperty("type").GetString(), problem.RootElement.GetProperty("title").GetString(), problem.RootElement.GetProperty("status").GetInt32(),
                problem.RootElement.GetProperty("detail").GetString(), problem.RootElement.GetProperty("request_id").GetString()));
        Assert.Contains("\r\nContent-Type: application/problem+json\r\n", program, StringComparison.Ordinal);
        Assert.Equal($"502 Bad gateway\nThe application could not be reached.\nRequest {IdIn(curl)}\n", BodyOf(curl));
    }

    [Theory]
    [InlineData(Html)]
    [InlineData(Json)]
    [InlineData("")]
    public async Task Head_is_answered_with_the_head_of_the_page_alone(string accept)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, Pages);

        var answer = await AskAsync(proxy, accept, "HEAD");

        Assert.StartsWith("HTTP/1.1 502 ", answer, StringComparison.Ordinal);
        Assert.Matches("\r\nContent-Length: [1-9]", answer);
        Assert.Equal("", BodyOf(answer));
    }

    [Fact]
    public async Task Maintenance_shows_its_page_to_people_and_a_problem_to_programs()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { AnswerRequestId = true });
        await AwayAsync(proxy, Pages, change: snapshot => snapshot.Maintenance = new MaintenancePage { Body = "<h1>Back soon, {request_id}</h1>" });

        foreach (var accept in (string[])[Html, "Accept: */*\r\n"])
        {
            var answer = await AskAsync(proxy, accept);
            Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nRetry-After: 10\r\n", answer, StringComparison.Ordinal);
            Assert.Contains("\r\nCache-Control: no-store\r\n", answer, StringComparison.Ordinal);
            Assert.EndsWith($"<h1>Back soon, {IdIn(answer)}</h1>", answer, StringComparison.Ordinal);
        }

        Assert.Contains("\"title\":\"Maintenance\"", await AskAsync(proxy, Json), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Maintenance_without_a_page_shows_that_for_503()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, Pages, change: snapshot => snapshot.Maintenance = new MaintenancePage());

        Assert.EndsWith("<h1>class 503</h1>", await AskAsync(proxy, Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_that_has_waited_in_vain_sees_a_page_that_asks_again()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, [], change: snapshot => (snapshot.IsPaused, snapshot.HoldTimeout) = (true, TimeSpan.FromMilliseconds(50)));

        var answer = await AskAsync(proxy, Html);

        Assert.StartsWith("HTTP/1.1 503 ", answer, StringComparison.Ordinal);
        Assert.Contains("http-equiv=\"refresh\"", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv=\"refresh\"", await AskAsync(proxy, Html + "Content-Length: 0\r\n", "POST"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, Html, 500, "theirs")]
    [InlineData(true, Html, 500, "<h1>class 500</h1>")]
    [InlineData(true, Html, 404, "<h1>bad 404: The application answered with an error.</h1>")]
    [InlineData(true, Json, 500, "theirs")]
    [InlineData(true, "", 500, "theirs")]
    [InlineData(true, Html, 401, "theirs")]
    [InlineData(true, Html, 200, "theirs")]
    public async Task Answer_of_the_application_is_passed_on_unless_the_option_replaces_it_for_browsers(bool isReplaced, string accept, int status, string body)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, change: snapshot => snapshot.ErrorPages = new ErrorPages { Pages = Pages, ReplaceAnswers = isReplaced });
        backend.AnswerAll($"HTTP/1.1 {status} Whatever\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ntheirs");

        // The connection goes on, whatever becomes of that to the application.
        await using var client = await proxy.ConnectAsync();
        foreach (var _ in Enumerable.Range(0, 3))
        {
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\n{accept}\r\n");
            var answer = await client.ReadMessageAsync();
            Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
            Assert.EndsWith(body, answer, StringComparison.Ordinal);
        }

        await proxy.UntilAsync(state => state.Targets[0].Traffic.ByStatus.GetValueOrDefault(status) == 3);
    }

    [Fact]
    public async Task Stream_of_http_2_sees_the_same_pages()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await AwayAsync(proxy, Pages);
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);

        await client.SendHeadersAsync(1, [.. Http2Connection.Get(), ("accept", "text/html")]);

        Assert.Matches("^<h1>ours 502 [0-9a-f]{32}</h1>$", (await client.AnswerAsync(1)).Body);
    }

    [Fact]
    public async Task Pages_outlive_a_restart_of_the_Proxy()
    {
        await using var proxy = await RunningProxy.StartAsync();
        var large = new string('"', ErrorPages.MaxPageBytes);
        await AwayAsync(proxy, new() { ["502"] = large, ["503"] = large.Replace('"', 'x'), ["500"] = large.Replace('"', 'x'), ["4xx"] = large.Replace('"', 'x') });

        await proxy.RestartAsync();

        Assert.EndsWith(large, await AskAsync(proxy, Html), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_that_are_too_large_or_for_no_error_are_refused()
    {
        await using var proxy = await RunningProxy.StartAsync();
        var snapshot = proxy.SnapshotOf(null);
        var largest = new string('x', ErrorPages.MaxPageBytes);

        foreach (var (pages, mistake) in new (Dictionary<string, string>, string)[]
        {
            (new() { ["502"] = largest + "x" }, "larger than 256 KiB"),
            (Enumerable.Range(500, 5).ToDictionary(status => $"{status}", _ => largest), "1 MiB"),
            (new() { ["200"] = "x" }, "400 to 599"),
            (new() { ["xx"] = "x" }, "400 to 599"),
            (Enumerable.Range(500, 33).ToDictionary(status => $"{status}", _ => "x"), "at most 32"),
        })
        {
            var (status, body) = await proxy.PutAsync(snapshot with { ErrorPages = new ErrorPages { Pages = pages } });
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains(mistake, body, StringComparison.Ordinal);
        }
    }

    private static async Task AwayAsync(RunningProxy proxy, Dictionary<string, string> pages, Action<ApplicationSnapshot>? change = null)
    {
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, change: snapshot =>
        {
            snapshot.ErrorPages = new ErrorPages { Pages = pages };
            change?.Invoke(snapshot);
        });
    }

    private static Task<string> AskAsync(RunningProxy proxy, string fields, string method = "GET") =>
        proxy.ExchangeAsync($"{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");

    private static string BodyOf(string answer) => answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    private static string IdIn(string answer) => answer.Split("\r\nX-Request-Id: ")[1].Split("\r\n")[0];
}
