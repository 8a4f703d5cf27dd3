using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.SampleApplication;

/// <summary>Plain answers: greeting, maintenance page, slow answer, any status, and what the request looked like.</summary>
internal sealed class Pages(Settings settings, TimeProvider time)
{
    private readonly byte[] _greeting = Encoding.UTF8.GetBytes($"hello from {settings.Version}");
    private int _visits;

    /// <summary>The greeting, or each so many-th time a failure.</summary>
    public Task HomeAsync(HttpContext context)
    {
        if (settings.FailEvery > 0 && Interlocked.Increment(ref _visits) % settings.FailEvery == 0)
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        return GreetAsync(context);
    }

    public Task GreetAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = _greeting.Length;
        return context.Response.Body.WriteAsync(_greeting, context.RequestAborted).AsTask();
    }

    public Task MaintenanceAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(
            $"<!doctype html><title>Maintenance</title><p>Back soon, says {settings.Version}.</p>\n", context.RequestAborted);
    }

    /// <summary><c>/slow?ms=1000</c>: the greeting, after a while.</summary>
    public async Task SlowAsync(HttpContext context)
    {
        await Task.Delay(context.Milliseconds("ms", 1000), time, context.RequestAborted);
        await GreetAsync(context);
    }

    /// <summary><c>/code?status=418</c>: the greeting with that status.</summary>
    public Task CodeAsync(HttpContext context)
    {
        context.Response.StatusCode = (int)context.Number("status", StatusCodes.Status200OK);
        return GreetAsync(context);
    }

    /// <summary><c>/request</c> and everything below it: method, raw target, protocol and headers as they arrived.</summary>
    public static async Task RequestAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        await context.Response.WriteAsync($"{context.Request.Method} {target} {context.Request.Protocol}\n", context.RequestAborted);
        foreach (var (name, values) in context.Request.Headers)
            foreach (var value in values)
                await context.Response.WriteAsync($"{name}: {value}\n", context.RequestAborted);
    }
}
