using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Api;

/// <summary>How long a call waits for the end of its deployment, from <c>?wait=false</c> and <c>?timeout=30s</c>.</summary>
/// <param name="Waits">Whether it waits at all.</param>
/// <param name="Limit">How long at most; absent: until the deployment's own deadline.</param>
internal sealed record WaitQuery(bool Waits, TimeSpan? Limit)
{
    private const string WaitName = "wait";
    private const string TimeoutName = "timeout";

    /// <exception cref="ProblemException">A parameter is unknown or has another value than these.</exception>
    public static WaitQuery Read(IQueryCollection query)
    {
        if (query.Keys.FirstOrDefault(name => name is not (WaitName or TimeoutName)) is { } unknown)
        {
            throw Refused($"The parameter '{unknown}' is unknown; did you mean '{NearestName.To(unknown, [WaitName, TimeoutName])}'?");
        }

        return new WaitQuery(WaitsOf(query[WaitName]), LimitOf(query[TimeoutName]));
    }

    private static bool WaitsOf(string? value) => value switch
    {
        null or "true" => true,
        "false" => false,
        _ => throw Refused("The parameter 'wait' is neither true nor false."),
    };

    private static TimeSpan? LimitOf(string? value)
    {
        if (value is null)
        {
            return null;
        }

        return Duration.TryParse(value, out var limit)
            ? limit
            : throw Refused("The parameter 'timeout' is no duration. Write a number and a unit, such as 30s or 5m.");
    }

    private static ProblemException Refused(string problem) => new(Problems.BadRequest(problem + " Nothing was changed."));
}
