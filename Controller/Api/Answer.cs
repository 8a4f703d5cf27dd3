using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Api;

/// <summary>Writes answers as JSON that people can read, or as text.</summary>
internal static class Answer
{
    // Indented and with quotes as they are, since it is read in terminals; never part of an HTML page.
    public static readonly ContractsJson Readable = new(
        new JsonSerializerOptions(ContractsJson.Default.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>The same without indentation, for what is long and read by programs.</summary>
    public static readonly ContractsJson Compact = new(new JsonSerializerOptions(Readable.Options) { WriteIndented = false });

    public static Task WriteJsonAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type, string mediaType = "application/json") =>
        WriteAsync(context, status, mediaType, [.. JsonSerializer.SerializeToUtf8Bytes(value, type), (byte)'\n']);

    public static Task WriteTextAsync(HttpContext context, int status, string text) =>
        WriteAsync(context, status, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>How much the caller wants a media type, from 0 (not at all) to 1.</summary>
    public static double WishFor(HttpRequest request, string mediaType)
    {
        var accepted = request.GetTypedHeaders().Accept;
        if (accepted.Count == 0)
        {
            return 1;
        }

        var wanted = new MediaTypeHeaderValue(mediaType);
        var fitting = accepted.Where(range => wanted.IsSubsetOf(new MediaTypeHeaderValue(range.MediaType))).OrderBy(range => range.MatchesAllTypes).ThenBy(range => range.MatchesAllSubTypes);
        return fitting.FirstOrDefault() is { } range ? range.Quality ?? 1 : 0;
    }

    /// <summary>Whether JSON is wanted more than text. Whoever takes anything gets text, as from the Go tool.</summary>
    public static bool PrefersJson(HttpRequest request) => WishFor(request, "application/json") > WishFor(request, "text/plain");

    public static Task WriteAsync(HttpContext context, int status, string mediaType, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}

/// <summary>Writes a problem document; as text for a caller that takes nothing else.</summary>
internal static class ProblemAnswer
{
    private const string MediaType = "application/problem+json";

    public static Task WriteAsync(HttpContext context, ApiProblem problem)
    {
        if (problem.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "5";
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        var isJsonTaken = Answer.WishFor(context.Request, MediaType) > 0 || Answer.WishFor(context.Request, "application/json") > 0;
        return isJsonTaken || Answer.WishFor(context.Request, "text/plain") == 0
            ? Answer.WriteJsonAsync(context, problem.Status, problem, Answer.Readable.ApiProblem, MediaType)
            : Answer.WriteTextAsync(context, problem.Status, $"{problem.Title}: {problem.Detail}");
    }
}
