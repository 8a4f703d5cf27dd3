namespace Wunderproxy.SampleApplication;

/// <summary>Misbehaviour on request: everything below <c>/_ctl/</c>.</summary>
internal sealed class Faults(Settings settings, Health health, Lifetime lifetime, TimeProvider time)
{
    /// <summary><c>/_ctl/health?state=ok|hang|503&amp;delay=0</c>: what the health check answers from now on.</summary>
    public Task HealthAsync(HttpContext context)
    {
        var state = context.Request.Query["state"].ToString();
        health.Become(state.Length > 0 ? state : "ok", context.Milliseconds("delay", 0));
        return Task.CompletedTask;
    }

    /// <summary><c>/_ctl/exit?code=3&amp;ms=0</c>: the process exits after the answer.</summary>
    public Task ExitAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        var code = (int)context.Number("code", settings.ExitCode);
        var delay = context.Milliseconds("ms", 0);
        context.Response.OnCompleted(() => ExitAfterAsync(delay, code));
        return Task.CompletedTask;
    }

    /// <summary><c>/_ctl/crash</c>: dies by SIGABRT in the middle of the request.</summary>
    public static Task CrashAsync(HttpContext context)
    {
        Environment.FailFast($"Crashed on request: {context.Request.Path}");
        return Task.CompletedTask;
    }

    /// <summary><c>/_ctl/memory?mb=64</c>: takes memory and keeps it.</summary>
    public static Task MemoryAsync(HttpContext context)
    {
        Memory.Allocate((int)context.Number("mb", 64));
        return Task.CompletedTask;
    }

    /// <summary><c>/_ctl/ignore-sigterm?off=1</c>: deaf to SIGTERM from now on, or no longer.</summary>
    public Task IgnoreSigtermAsync(HttpContext context)
    {
        lifetime.IgnoreSigterm(!context.Flag("off"));
        return Task.CompletedTask;
    }

    public async Task ExitAfterAsync(TimeSpan delay, int code)
    {
        await Task.Delay(delay, time);
        Console.Error.WriteLine($"exiting with code {code}, as asked");
        Environment.Exit(code);
    }
}
