namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>Something that is measured again and again, and how much of growth it is allowed.</summary>
/// <param name="Name">What it is, and of what: <c>Controller resident</c>.</param>
/// <param name="Unit">Such as <c>MiB</c>; empty for a count.</param>
/// <param name="Share">Growth up to this part of the first level is none.</param>
/// <param name="Least">Growth up to this much is none either, in the unit.</param>
internal sealed record Measure(string Name, string Unit, double Share, double Least)
{
    /// <summary>It only ever increases, as the bytes of a log do: its rate is what must not grow.</summary>
    public bool IsTotal { get; init; }

    /// <summary>Whether growth fails the run; what starts anew in the course of it is only shown.</summary>
    public bool IsJudged { get; init; } = true;
}
