using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.IntegrationTests.Api;

public sealed class CallerCheckTests
{
    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    [InlineData("::ffff:127.0.0.1", "::ffff:127.0.0.1")]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData(null, null)]
    public void Caller_on_this_host_may_change_something(string? remote, string? local) => Assert.Null(CallerCheck.RefusalOf(Call(remote, local)));

    [Theory]
    [InlineData("192.0.2.8", "192.0.2.7")]
    [InlineData("172.30.0.2", "172.30.0.1")]
    [InlineData("::ffff:192.0.2.8", "::ffff:192.0.2.7")]
    public void Caller_elsewhere_may_not_and_is_told_where_it_came_from(string remote, string local) =>
        Assert.Contains(remote, CallerCheck.RefusalOf(Call(remote, local)), StringComparison.Ordinal);

    private static DefaultHttpContext Call(string? remote, string? local)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = remote is null ? null : IPAddress.Parse(remote);
        context.Connection.LocalIpAddress = local is null ? null : IPAddress.Parse(local);
        return context;
    }
}
