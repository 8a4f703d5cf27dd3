namespace Wunderproxy.SampleApplication;

/// <summary>Counts the requests of this instance and marks each answer with its version.</summary>
internal sealed class Traffic(Settings settings)
{
    private long _started;
    private long _finished;

    public async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _started);
        context.Response.Headers["X-Version"] = settings.Version;
        context.Response.Headers["X-Instance"] = Environment.MachineName;
        try
        {
            await next(context);
        }
        finally
        {
            Interlocked.Increment(ref _finished);
        }
    }

    /// <summary>Requests begun and finished so far, the asking one included.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        var finished = Interlocked.Read(ref _finished);
        var started = Interlocked.Read(ref _started);
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(
            $$"""{"Version":"{{settings.Version}}","Started":{{started}},"Finished":{{finished}},"Open":{{started - finished}}}""",
            context.RequestAborted);
    }
}
