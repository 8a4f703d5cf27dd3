using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Controller.Remembering;

namespace Wunderproxy.Controller.Api;

/// <summary><c>GET /traffic?minutes=60</c>: how the traffic went.</summary>
/// <param name="traffic">Knows it.</param>
internal sealed class TrafficCalls(ITraffic traffic)
{
    private const string MinutesName = "minutes";
    private const string DefaultMinutes = "60";
    private const int MostMinutes = 24 * 60;

    /// <summary>Adds the call to a server.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapMethods("/traffic", [HttpMethods.Get, HttpMethods.Head], ReportAsync);

    private async Task ReportAsync(HttpContext context)
    {
        var document = await traffic.ReportAsync(MinutesOf(context.Request.Query), context.RequestAborted);
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, document, Answer.Compact.TrafficDocument);
    }

    private static int MinutesOf(IQueryCollection query)
    {
        if (query.Keys.FirstOrDefault(name => name != MinutesName) is { } unknown)
            throw new ProblemException(Problems.BadRequest($"The parameter '{unknown}' is unknown; there is only '{MinutesName}'."));
        var text = query.TryGetValue(MinutesName, out var given) ? given.ToString() : DefaultMinutes;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) && minutes is >= 1 and <= MostMinutes
            ? minutes
            : throw new ProblemException(Problems.BadRequest($"The parameter '{MinutesName}' is no whole number from 1 to {MostMinutes}."));
    }
}
