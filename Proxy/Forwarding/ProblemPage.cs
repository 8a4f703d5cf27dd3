using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Writes the Proxy's own answers, in the form that the client asks for: text, HTML or a problem document.</summary>
internal static class ProblemPage
{
    /// <summary>Writes a problem. The response must not have begun.</summary>
    public static Task WriteAsync(Exchange exchange, Problem problem)
    {
        var (contentType, body) = Render(exchange.Context.Request.Headers.Accept, problem);
        return WriteAsync(exchange, problem, contentType, body);
    }

    /// <summary>Writes the page that is shown while maintenance is up.</summary>
    public static Task WriteMaintenanceAsync(Exchange exchange, MaintenancePage page) =>
        page.Body is { } body
            ? WriteAsync(exchange, Problem.Maintenance, page.ContentType, body)
            : WriteAsync(exchange, Problem.Maintenance);

    /// <summary>Tells whoever asks for the application's health that it is well.</summary>
    public static Task WriteHealthyAsync(Exchange exchange)
    {
        exchange.Context.Response.StatusCode = StatusCodes.Status200OK;
        exchange.Context.Response.Headers.CacheControl = "no-store";
        return WriteBodyAsync(exchange, "text/plain; charset=utf-8", "healthy\n", closesConnection: false);
    }

    private static Task WriteAsync(Exchange exchange, Problem problem, string contentType, string body)
    {
        var response = exchange.Context.Response;
        response.Clear();
        response.StatusCode = problem.Status;
        if (problem.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (problem.Location is { } location)
        {
            response.Headers.Location = location;
        }

        if (problem.Status == StatusCodes.Status405MethodNotAllowed)
        {
            response.Headers.Allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        }

        // Clients would keep a redirect for ever otherwise, a mistaken one, too.
        response.Headers.CacheControl = problem.Location is null ? "no-store" : "max-age=3600";
        return WriteBodyAsync(exchange, contentType, body, problem.ClosesConnection);
    }

    private static async Task WriteBodyAsync(Exchange exchange, string contentType, string body, bool closesConnection)
    {
        var context = exchange.Context;
        var response = context.Response;
        var bytes = Encoding.UTF8.GetBytes(body);
        response.ContentType = contentType;
        response.ContentLength = bytes.Length;
        exchange.NameAnswer();
        if ((closesConnection && !HttpProtocol.IsHttp2(context.Request.Protocol)) || ConnectionHeader.AsksForClose(context.Request))
        {
            response.Headers.Connection = "close";
        }

        // By the letter, as Kestrel sees it, which waits for the body of an answer to HEAd.
        if (context.Request.Method is not "HEAD")
        {
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    private static (string ContentType, string Body) Render(string? accept, Problem problem)
    {
        foreach (var range in (accept ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            switch (range.Split(';')[0].TrimEnd().ToLowerInvariant())
            {
                case "text/html":
                    return ("text/html; charset=utf-8", Html(problem));
                case "application/json" or "application/problem+json":
                    return ("application/problem+json", Json(problem));
                case "text/plain" or "*/*":
                    return Text(problem);
            }
        }

        return Text(problem);
    }

    private static (string ContentType, string Body) Text(Problem problem) =>
        ("text/plain; charset=utf-8", $"{problem.Status} {problem.Title}\n{problem.Detail}\n");

    private static string Json(Problem problem) =>
        $$"""{"type":"about:blank","title":"{{JsonEncodedText.Encode(problem.Title)}}","status":{{problem.Status}},"detail":"{{JsonEncodedText.Encode(problem.Detail)}}"}""";

    private static string Html(Problem problem)
    {
        var title = HtmlEncoder.Default.Encode(problem.Title);
        return $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{title}}</title>
            <style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1rem;color:#333}</style></head>
            <body><h1>{{title}}</h1><p>{{HtmlEncoder.Default.Encode(problem.Detail)}}</p></body>
            </html>

            """;
    }
}
