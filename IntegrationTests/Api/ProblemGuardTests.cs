using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Testing;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.IntegrationTests.Api;

public sealed class ProblemGuardTests
{
    private readonly FakeLogger _logger = new();

    [Fact]
    public async Task Caller_that_hangs_up_while_it_is_refused_is_no_error_of_the_call()
    {
        await new ProblemGuard(_ => throw new ProblemException(Problems.Starting()), _logger).InvokeAsync(Left());

        Assert.Empty(_logger.Collector.GetSnapshot());
    }

    [Fact]
    public async Task Call_that_fails_because_its_caller_hung_up_is_not_reported()
    {
        await new ProblemGuard(context => Task.FromCanceled(context.RequestAborted), _logger).InvokeAsync(Left());

        Assert.Empty(_logger.Collector.GetSnapshot());
    }

    // As a body of Kestrel's, it takes nothing any more.
    private static DefaultHttpContext Left()
    {
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        context.Response.Body = new MemoryStream();
        return context;
    }
}
