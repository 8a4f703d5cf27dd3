using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.IntegrationTests.Api;

public sealed class CallerCheckTests
{
    private const string Secret = "correct-horse-battery-staple";

    private static readonly CallerCheck WithoutToken = new(null);
    private static readonly CallerCheck WithToken = new(new ApiToken(Secret));

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("::ffff:127.0.0.1", "::ffff:127.0.0.1")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData(null, null)]
    public void Caller_on_this_host_may_change_something(string? remote, string? local) => Assert.Null(WithoutToken.RefusalOf(Call(remote, local)));

    [Theory]
    [InlineData("192.0.2.8", "192.0.2.7")]
    [InlineData("172.30.0.2", "172.30.0.1")]
    [InlineData("::ffff:192.0.2.8", "::ffff:192.0.2.7")]
    public void Caller_elsewhere_may_not_and_is_told_where_it_came_from(string remote, string local) =>
        Assert.Contains(remote, WithoutToken.RefusalOf(Call(remote, local))?.Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "http://localhost:3000")]
    [InlineData("Origin", "https://localhost:8001")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Host", "evil.example:8001")]
    [InlineData("Forwarded", "for=192.0.2.1")]
    public void Page_of_another_site_in_a_browser_on_this_host_may_not(string header, string value) => Assert.NotNull(WithoutToken.RefusalOf(Local((header, value))));

    [Theory]
    [InlineData("Origin", "http://localhost:8001")]
    [InlineData("Sec-Fetch-Site", "same-origin")]
    [InlineData("Sec-Fetch-Site", "none")]
    public void Own_page_in_a_browser_on_this_host_may(string header, string value) => Assert.Null(WithoutToken.RefusalOf(Local((header, value))));

    [Fact]
    public void Token_opens_the_api_to_callers_everywhere()
    {
        var call = Call("192.0.2.8", "192.0.2.7");
        call.Request.Headers.Authorization = $"Bearer {Secret}";

        Assert.Null(WithToken.RefusalOf(call));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer correct-horse-battery-stapl")]
    [InlineData("Bearer correct-horse-battery-staples")]
    [InlineData("Basic correct-horse-battery-staple")]
    public void Without_the_token_not_even_a_caller_on_this_host_may(string? header)
    {
        var call = Local();
        call.Request.Headers.Authorization = header;

        Assert.Equal(CallerRefusal.Token, WithToken.RefusalOf(call)?.Kind);
    }

    [Fact]
    public void Unix_socket_needs_no_token_for_its_mode_says_who_may() => Assert.Null(WithToken.RefusalOf(Call(null, null)));

    [Fact]
    public void Refusal_and_description_of_a_token_do_not_show_it()
    {
        var call = Local();
        call.Request.Headers.Authorization = "Bearer wrong-guess-of-somebody";

        Assert.DoesNotContain(Secret, $"{WithToken.RefusalOf(call)} {new ApiToken(Secret)}", StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-guess", WithToken.RefusalOf(call)!.Reason, StringComparison.Ordinal);
    }

    private static DefaultHttpContext Local(params (string Name, string Value)[] headers)
    {
        var context = Call("127.0.0.1", "127.0.0.1");
        (context.Request.Scheme, context.Request.Host) = ("http", new HostString("localhost:8001"));
        foreach (var (name, value) in headers)
        {
            context.Request.Headers[name] = value;
        }

        return context;
    }

    private static DefaultHttpContext Call(string? remote, string? local)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = local is null ? null : IPAddress.Parse(local);
        return context;
    }
}
