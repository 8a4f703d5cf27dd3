using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts;

namespace Wunderproxy.Controller.Api;

/// <summary>The body of a launch or switch: a hash or the beginning of one, as text or as JSON.</summary>
internal static class OrderBody
{
    /// <summary>Larger bodies are refused.</summary>
    public const int CapBytes = 1 << 10;

    private const int ShownCharacters = 64;

    /// <summary>Reads the hash. Whatever isn't declared as JSON is text: <c>curl -d</c> declares it as a form.</summary>
    /// <exception cref="ProblemException">It can't be a hash; it must never become part of a key or a path.</exception>
    public static async Task<string> ReadHashAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(request, cancellationToken);
        var hash = request.HasJsonContentType() ? FromJson(body, ContractsJson.Default.ReleaseOrder, """Send {"Hash": "…"} and nothing else.""")?.Hash ?? "" : FromText(body);
        return ContentHash.IsBeginning(hash) ? hash : throw new ProblemException(NoHash(hash));
    }

    private static string FromText(byte[] body)
    {
        var text = Encoding.Latin1.GetString(body);
        return text.EndsWith('\n') ? text[..^1].TrimEnd('\r') : text;
    }

    /// <summary>Reads a body that is declared as JSON.</summary>
    /// <param name="body">The body.</param>
    /// <param name="type">What the call takes.</param>
    /// <param name="format">What to send, as a sentence.</param>
    /// <exception cref="ProblemException">It is none.</exception>
    public static T? FromJson<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type, string format)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            throw new ProblemException(Problems.BadRequest($"The body is not the JSON that this call takes, and nothing was changed. {format}"));
        }
    }

    /// <summary>The whole body; the server itself refuses one above the cap.</summary>
    public static async Task<byte[]> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        return body.ToArray();
    }

    private static Contracts.Admin.ApiProblem NoHash(string given)
    {
        var shown = string.Concat(given.Take(ShownCharacters).Select(c => c is > ' ' and <= '~' ? c : '?'));
        var found = given.Length == 0 ? "The body is empty" : $"'{shown}{(given.Length > ShownCharacters ? "…" : "")}' ({given.Length} characters) is no hash";
        return Problems.BadRequest(
            $"{found}, and nothing was changed. Send the hash of a published launch configuration: 64 (SHA-256) or 32 (MD5) lower-case hex digits, as in container.HASH.json, or the first 4 or more of them.");
    }
}
