using System.Globalization;

namespace Wunderproxy.SampleApplication;

/// <summary>Bodies of any size, both ways, and answers that break off.</summary>
internal sealed class Bodies(Settings settings, TimeProvider time)
{
    private const int BlockSize = 64 * 1024;

    /// <summary><c>/echo</c>: the request's body back, while it arrives.</summary>
    public static Task EchoAsync(HttpContext context)
    {
        context.Response.ContentType = context.Request.ContentType ?? "application/octet-stream";
        return context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    /// <summary><c>/sink</c>: how many bytes the request's body had.</summary>
    public static async Task SinkAsync(HttpContext context)
    {
        var block = new byte[BlockSize];
        long total = 0;
        int read;
        while ((read = await context.Request.Body.ReadAsync(block, context.RequestAborted)) > 0)
            total += read;
        await context.Response.WriteAsync(total.ToString(CultureInfo.InvariantCulture), context.RequestAborted);
    }

    /// <summary><c>/bytes?n=1024&amp;chunked=1</c>: a body of that size.</summary>
    public static async Task BytesAsync(HttpContext context)
    {
        var left = context.Number("n", 1024);
        var block = new byte[BlockSize];
        if (!context.Flag("chunked"))
            context.Response.ContentLength = left;
        while (left > 0)
        {
            var size = (int)Math.Min(left, block.Length);
            await context.Response.Body.WriteAsync(block.AsMemory(0, size), context.RequestAborted);
            left -= size;
        }
    }

    /// <summary><c>/drip?n=10&amp;ms=100</c>: chunks of one line each with a pause after it, then a trailer.</summary>
    public async Task DripAsync(HttpContext context)
    {
        if (context.Response.SupportsTrailers())
            context.Response.DeclareTrailer("X-Lines");
        var lines = context.Number("n", 10);
        for (var line = 0; line < lines; line++)
        {
            await context.Response.WriteAsync($"{settings.Version} {line}\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(context.Milliseconds("ms", 100), time, context.RequestAborted);
        }

        if (context.Response.SupportsTrailers())
            context.Response.AppendTrailer("X-Lines", lines.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary><c>/abort</c>: the connection is reset before an answer.</summary>
    public static Task AbortAsync(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary><c>/half</c>: a thousand bytes are promised, four are sent, the connection is reset.</summary>
    public static async Task HalfAsync(HttpContext context)
    {
        context.Response.ContentLength = 1000;
        await context.Response.WriteAsync("half", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        context.Abort();
    }
}
