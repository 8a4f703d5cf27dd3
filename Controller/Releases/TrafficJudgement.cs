using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Releases;

/// <summary>What is wrong with how the requests of a release on probation go.</summary>
internal enum TrafficFlaw
{
    /// <summary>Too many are answered with an error.</summary>
    Errors,

    /// <summary>Too many take too long.</summary>
    Slowness,
}

/// <summary>A release is worse than it may be, and that isn't chance.</summary>
/// <param name="Flaw">What is wrong.</param>
/// <param name="Bad">Requests that show it.</param>
/// <param name="Requests">Of how many.</param>
/// <param name="Allowed">Share of requests, 0 to 1, that the configuration allows.</param>
/// <param name="Former">Share of the replaced release in its last minutes; absent: too few requests to say.</param>
internal sealed record TrafficComplaint(TrafficFlaw Flaw, long Bad, long Requests, double Allowed, double? Former);

/// <summary>Judges a release on probation by how its requests went, beside those of the release that it replaced.</summary>
/// <remarks>
/// The share that is no reason to complain is what the configuration allows, or what the replaced release may have had (the upper end of its Wilson interval),
/// whichever is more. What speaks against that share is a likelihood ratio, averaged over odds that are so many times as large. Of a release that is no worse it
/// exceeds 1/α at any time in at most α of all cases (Ville's inequality), so it may be looked at as often as one likes. Where what is bad came in bursts to the
/// replaced release, it says less: each request counts as much less as its number in 10 s varied more than that of independent ones.
/// </remarks>
internal static class TrafficJudgement
{
    // One release in 500 that is no worse may be blamed by the ratio, and the interval misses the former share less often.
    private const double Confidence = 500;
    private const double Deviations = 3.09;

    // The share of slow requests that is meant by a limit of the 99th percentile.
    private const double SlowShare = 0.01;

    // Odds of none at all can't be multiplied.
    private const double SmallestShare = 0.0001;

    private static readonly double[] Multiples = [1.5, 2, 4, 8, 16, 64];

    /// <summary>What there is to complain of; absent: nothing, or too few requests to say.</summary>
    /// <param name="spec">What is allowed.</param>
    /// <param name="former">The last minutes of the replaced release; absent: not known.</param>
    /// <param name="now">What the release on probation has served so far.</param>
    public static TrafficComplaint? Of(ProbationSpec spec, TrafficSample? former, TrafficSample? now)
    {
        if (now is null || now.Requests < spec.MinRequests)
            return null;
        var before = former is { Requests: var requests } && requests >= spec.MinRequests ? former : null;
        return (spec.MaxErrorRate is { } rate ? Of(TrafficFlaw.Errors, rate, before, now, sample => sample.Errors, before?.ErrorDispersion) : null)
            ?? (spec.MaxLatency is not null ? Of(TrafficFlaw.Slowness, SlowShare, before, now, sample => sample.Slow, before?.SlowDispersion) : null);
    }

    private static TrafficComplaint? Of(TrafficFlaw flaw, double allowed, TrafficSample? former, TrafficSample now, Func<TrafficSample, long> bad, double? dispersion)
    {
        var weight = 1 / Math.Max(1, dispersion ?? 1);
        var innocent = Math.Max(allowed, former is null ? 0 : UpperEnd(former.Requests, bad(former), weight));
        return innocent < 1 && Ratio(now.Requests, bad(now), innocent, weight) >= Confidence
            ? new TrafficComplaint(flaw, bad(now), now.Requests, allowed, former is null ? null : (double)bad(former) / former.Requests)
            : null;
    }

    private static double UpperEnd(long requests, long bad, double weight)
    {
        var (n, share, z) = (requests * weight, (double)bad / requests, Deviations);
        var middle = share + (z * z / (2 * n));
        var spread = z * Math.Sqrt((share * (1 - share) / n) + (z * z / (4 * n * n)));
        return (middle + spread) / (1 + (z * z / n));
    }

    private static double Ratio(long requests, long bad, double innocent, double weight)
    {
        var share = Math.Max(innocent, SmallestShare);
        return Multiples.Average(multiple => Math.Exp(weight * Evidence(requests, bad, share, multiple)));
    }

    private static double Evidence(long requests, long bad, double share, double multiple)
    {
        var odds = share / (1 - share) * multiple;
        var worse = odds / (1 + odds);
        return (bad * Math.Log(worse / share)) + ((requests - bad) * Math.Log((1 - worse) / (1 - share)));
    }
}
