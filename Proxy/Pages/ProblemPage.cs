using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Pages;

/// <summary>Writes the Proxy's own answers, in the form that the client likes best: a page, which may be the application's own, a problem document, or text; in headers where it speaks gRPC.</summary>
internal static class ProblemPage
{
    private const string HtmlType = "text/html; charset=utf-8";

    // What is in it must be readable, and never goes into HTML.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a problem. The response must not have begun.</summary>
    public static Task WriteAsync(Exchange exchange, Problem problem)
    {
        var form = FormFor(exchange);
        return WriteAsync(exchange, problem, form, form == PageForm.Html ? exchange.Serving?.ErrorPageFor(problem.Status) : null, HtmlType);
    }

    /// <summary>Writes the page that is shown while maintenance is up: the application's own also to those who don't ask for a page, but for programs.</summary>
    public static Task WriteMaintenanceAsync(Exchange exchange, MaintenancePage page) => page.Body is { } body && FormFor(exchange) is var form and not PageForm.Json
        ? WriteAsync(exchange, Problem.Maintenance, form, body, page.ContentType)
        : WriteAsync(exchange, Problem.Maintenance);

    /// <summary>Tells whoever asks for the application's health that it is well.</summary>
    public static Task WriteHealthyAsync(Exchange exchange)
    {
        exchange.Context.Response.StatusCode = StatusCodes.Status200OK;
        exchange.Context.Response.Headers.CacheControl = "no-store";
        return WriteBodyAsync(exchange, "text/plain; charset=utf-8", "healthy\n"u8.ToArray(), closesConnection: false);
    }

    /// <summary>Answers a challenge of HTTP-01 (RFC 8555, section 8.3).</summary>
    public static Task WriteChallengeAsync(Exchange exchange, string keyAuthorization)
    {
        exchange.Context.Response.StatusCode = StatusCodes.Status200OK;
        exchange.Context.Response.Headers.CacheControl = "no-store";
        return WriteBodyAsync(exchange, "application/octet-stream", Encoding.ASCII.GetBytes(keyAuthorization), closesConnection: false);
    }

    /// <summary>Whether the client would rather see a page than anything else.</summary>
    public static bool IsForBrowser(Exchange exchange) => FormFor(exchange) == PageForm.Html;

    private static PageForm FormFor(Exchange exchange) => PageForms.For(exchange.Context.Request.Headers.Accept);

    private static Task WriteAsync(Exchange exchange, Problem problem, PageForm form, string? ownPage, string ownType)
    {
        var response = exchange.Context.Response;
        response.Clear();
        if (Grpc.IsSpokenBy(exchange.Context.Request))
        {
            Grpc.Say(exchange.Context, problem);
            return WriteBodyAsync(exchange, response.ContentType!, [], problem.ClosesConnection);
        }

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
        var (type, body) = ownPage is not null ? (ownType, Filled(ownPage, problem, exchange)) : Render(form, problem, exchange);
        return WriteBodyAsync(exchange, type, body, problem.ClosesConnection);
    }

    private static async Task WriteBodyAsync(Exchange exchange, string contentType, byte[] body, bool closesConnection)
    {
        var context = exchange.Context;
        var response = context.Response;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        exchange.NameAnswer();
        if ((closesConnection && !HttpProtocol.IsHttp2(context.Request.Protocol)) || ConnectionHeader.AsksForClose(context.Request))
        {
            response.Headers.Connection = "close";
        }

        // By the letter, as Kestrel sees it, which waits for the body of an answer to HEAd.
        if (context.Request.Method is not "HEAD" && body.Length > 0)
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private static (string Type, byte[] Body) Render(PageForm form, Problem problem, Exchange exchange) => form switch
    {
        PageForm.Html => (HtmlType, Filled(BuiltInPage.For(problem, canRefresh: exchange.Context.Request.Method is "GET"), problem, exchange)),
        PageForm.Json => ("application/problem+json", Json(problem, exchange.Id)),
        _ => ("text/plain; charset=utf-8", Encoding.UTF8.GetBytes($"{problem.Status} {problem.Title}\n{problem.Detail}\nRequest {exchange.Id}\n")),
    };

    private static byte[] Filled(string page, Problem problem, Exchange exchange) => Encoding.UTF8.GetBytes(Placeholders.Fill(page, problem, exchange.Id));

    private static byte[] Json(Problem problem, RequestId id)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            json.WriteStartObject();
            json.WriteString("type", "about:blank");
            json.WriteString("title", problem.Title);
            json.WriteNumber("status", problem.Status);
            json.WriteString("detail", problem.Detail);
            json.WriteString("request_id", id.ToString());
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
