using System.Text;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Api;

/// <summary>The body of a canary's order: a share of the clients, as text or as JSON.</summary>
internal static class CanaryBody
{
    private const string Format = """Send a share such as 10%, or off, or {"Percent": 10}.""";

    /// <summary>Reads the share. Whatever isn't declared as JSON is text: <c>curl -d</c> declares it as a form.</summary>
    /// <returns>Percent, 0 to 100.</returns>
    /// <exception cref="ProblemException">It is none.</exception>
    public static async Task<int> ReadPercentAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await OrderBody.ReadAsync(request, cancellationToken);
        return request.HasJsonContentType() ? FromJson(body)
            : Share.Parse(Encoding.Latin1.GetString(body).Trim()) ?? throw new ProblemException(Problems.BadRequest($"The body is no share of the clients, and nothing was changed. {Format}"));
    }

    private static int FromJson(byte[] body) => OrderBody.FromJson(body, ContractsJson.Default.CanaryOrder, Format) is { Percent: >= 0 and <= 100 and var percent }
        ? percent
        : throw new ProblemException(Problems.BadRequest($"Percent isn't from 0 to 100, and nothing was changed. {Format}"));
}
