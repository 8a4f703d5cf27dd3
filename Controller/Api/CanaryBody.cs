using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Api;

/// <summary>The body of a canary's order: a share of the clients, as text or as JSON.</summary>
internal static class CanaryBody
{
    private const string Expected = """and nothing was changed. Send a share such as 10%, or off, or {"Percent": 10}.""";

    /// <summary>Reads the share. Whatever isn't declared as JSON is text: <c>curl -d</c> declares it as a form.</summary>
    /// <returns>Percent, 0 to 100.</returns>
    /// <exception cref="ProblemException">It is none.</exception>
    public static async Task<int> ReadPercentAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // The server itself refuses a body above the cap.
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        return request.HasJsonContentType() ? FromJson(body.ToArray())
            : Share.Parse(Encoding.Latin1.GetString(body.ToArray()).Trim()) ?? throw new ProblemException(Problems.BadRequest($"The body is no share of the clients, {Expected}"));
    }

    private static int FromJson(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ContractsJson.Default.CanaryOrder) is { Percent: >= 0 and <= 100 and var percent }
                ? percent
                : throw new ProblemException(Problems.BadRequest($"Percent isn't from 0 to 100, {Expected}"));
        }
        catch (JsonException)
        {
            throw new ProblemException(Problems.BadRequest($"The body is not the JSON that this call takes, {Expected}"));
        }
    }
}
