using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Pages;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>In which form a client is answered, and what is put into the pages.</summary>
public class PageFormTests
{
    private const string Firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    private const string Chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

    [Theory]
    [InlineData(Firefox, "Html")]
    [InlineData(Chrome, "Html")]
    [InlineData("*/*", "Text")]
    [InlineData(null, "Text")]
    [InlineData("", "Text")]
    [InlineData("application/json, text/plain, */*", "Json")]
    [InlineData("application/json", "Json")]
    [InlineData("application/problem+json", "Json")]
    [InlineData("Application/JSON;charset=utf-8", "Json")]
    [InlineData("application/*", "Json")]
    [InlineData("text/*", "Text")]
    [InlineData("text/plain, text/html", "Text")]
    [InlineData("text/html, application/json", "Html")]
    [InlineData("text/html;q=0.8, application/json;q=0.9", "Json")]
    [InlineData("text/html;q=0.8, application/json;q=0.80", "Html")]
    [InlineData("text/html; q=0.5, */*;q=0.1", "Html")]
    [InlineData("text/html;level=1;q=0.4, text/plain;q=0.5", "Text")]
    [InlineData("*/*, text/html", "Html")]
    [InlineData("*/*, text/plain;q=0.5", "Html")]
    [InlineData("text/html;q=0, */*", "Text")]
    [InlineData("text/html;q=0", "Text")]
    [InlineData("text/html;q=1.5, text/plain", "Html")]
    [InlineData("text/html;q=garbage, application/json;q=0.1", "Json")]
    [InlineData("image/png", "Text")]
    [InlineData(",;,/", "Text")]
    public void Client_is_answered_in_the_form_that_it_likes_best(string? accept, string form) => Assert.Equal(form, PageForms.For(accept).ToString());

    [Theory]
    [InlineData("<p>{status} {title} {detail} {request_id}</p>", "<p>502 &lt;T&gt; a &amp; b id-1</p>")]
    [InlineData("body{color:red} {status}", "body{color:red} 502")]
    [InlineData("{{status}}", "{502}")]
    [InlineData("{status", "{status")]
    [InlineData("{Status} {} {nothing}", "{Status} {} {nothing}")]
    [InlineData("status}", "status}")]
    [InlineData("", "")]
    public void Page_is_filled_with_what_happened_escaped(string page, string filled) =>
        Assert.Equal(filled, Placeholders.Fill(page, new Problem(502, "<T>", "a & b"), new RequestId("id-1")));

    [Fact]
    public void What_was_put_into_a_page_is_not_filled_again() =>
        Assert.Equal("{status}", Placeholders.Fill("{title}", new Problem(502, "{status}", ""), new RequestId("id-1")));

    [Fact]
    public void Built_in_page_is_small_complete_in_itself_and_names_nobody()
    {
        var page = Placeholders.Fill(BuiltInPage.For(Problem.Unreachable, canRefresh: true), Problem.Unreachable, new RequestId("id-1"));

        Assert.InRange(page.Length, 500, 4096);
        Assert.DoesNotContain("http:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("https:", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("wunderproxy", page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("prefers-color-scheme:dark", page, StringComparison.Ordinal);
        Assert.Contains("name=\"viewport\"", page, StringComparison.Ordinal);
        Assert.Contains("id-1", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Redirect_is_no_error()
    {
        var moved = Problem.MovedTo("https://shop.example/?a=\"><script>", keepsMethod: false);
        var page = Placeholders.Fill(BuiltInPage.For(moved, canRefresh: true), moved, new RequestId("id-1"));

        Assert.Contains("This has moved", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Error", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_that_waits_asks_again_by_itself_where_that_changes_nothing()
    {
        Assert.Contains("<meta http-equiv=\"refresh\" content=\"10\">", BuiltInPage.For(Problem.Maintenance, canRefresh: true), StringComparison.Ordinal);
        Assert.Contains("<meta http-equiv=\"refresh\" content=\"5\">", BuiltInPage.For(Problem.NoTarget, canRefresh: true), StringComparison.Ordinal);
        Assert.DoesNotContain("refresh", BuiltInPage.For(Problem.Maintenance, canRefresh: false), StringComparison.Ordinal);
    }
}
