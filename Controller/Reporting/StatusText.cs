using System.Globalization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Reporting;

/// <summary>The status of one host for people: what serves, what is wanted, what is being done and until when, and what is not well. Times are by that host's clock.</summary>
internal static class StatusText
{
    private const int ShownDeployments = 5;
    private const int ShownFailures = 3;
    private const string Indent = "  ";

    /// <summary>The lines, most important first.</summary>
    /// <param name="status">What the host says.</param>
    /// <param name="host">Where it was asked.</param>
    public static IEnumerable<Line> Of(StatusDocument status, string host) =>
    [
        new($"{status.Application} at {host}, {Words.Date(status.At)}", Tone.Strong),
        Line.Empty,
        .. Summary(status),
        .. Releases(status),
        .. NotWell(status),
        .. LatestFailure(status) is { } failed ? Failure(failed) : [],
        .. Deployments(status),
    ];

    /// <summary>Why a release failed, with the last lines of its log.</summary>
    public static IEnumerable<Line> Evidence(FailureEvidence failure) =>
    [
        .. failure.Message.Split('\n').Select(line => new Line(Indent + line)),
        .. failure.Log.Select(line => new Line($"{Indent}| {line}", Tone.Faint)),
    ];

    private static IEnumerable<Line> Summary(StatusDocument status)
    {
        var serving = status.Releases.FirstOrDefault(release => release.Hash == status.Active);
        List<IReadOnlyList<string>> rows = [["Serves", Serving(status, serving)]];
        if (status.Desired is { } desired)
        {
            rows.Add(["Wanted", $"{Words.Name(desired.Revision, desired.Hash)} by current.json, for {Words.Span(status.At - desired.Since)}"]);
        }

        if (status.Pin is { } pin)
        {
            rows.Add(["Pinned", $"{Words.Name(pin.Revision, pin.Hash)} by a switch, for {Words.Span(status.At - pin.Since)}; until current.json changes"]);
        }

        if (status.Proxy?.HostDrain is { } drain)
        {
            rows.Add(["Host", $"is out of service for {Words.Span(status.At - drain.Since)}, and serves whoever comes: wunderproxy undrain-host brings it back"]);
        }

        if (status.MaintenanceMode)
        {
            rows.Add(["Traffic", "gets the maintenance page: wunderproxy maintenance down ends it"]);
        }
        else if (status.Paused)
        {
            rows.Add(["Traffic", "is paused, requests wait: wunderproxy resume lets them go on"]);
        }

        if (status.Canary is { } canary)
        {
            rows.Add(["Canary", $"{Words.Percent(canary.Percent)} of the clients go to {Words.Name(status.Releases.FirstOrDefault(release => release.Hash == canary.Hash)?.Revision ?? "", canary.Hash)} while it stands by: wunderproxy canary off ends it"]);
        }

        rows.Add(["Now", Doing(status)]);
        return Columns.Align(Indent, rows).Select(row => new Line(row));
    }

    private static string Serving(StatusDocument status, ReleaseStatus? serving) => serving is null
        ? "nothing"
        : $"{Words.Name(serving.Revision, serving.Hash)}{(serving.Since is { } since ? $" for {Words.Span(status.At - since)}" : "")}{Traffic(serving.Traffic)}"
            + (serving.Phase is ReleasePhase.Active or ReleasePhase.Probation ? "" : $"; it {Words.Of(serving.Phase)}");

    private static string Traffic(TargetTraffic? traffic)
    {
        if (traffic is null)
        {
            return "";
        }

        var latency = traffic.Traffic.Latency.FirstOrDefault(window => window is { Minutes: 1, Requests: > 0 });
        var lately = latency is null ? "" : string.Create(CultureInfo.InvariantCulture, $"; last minute {latency.Requests} requests, p50 {latency.P50Ms:0.#} ms, p99 {latency.P99Ms:0.#} ms");
        return string.Create(CultureInfo.InvariantCulture, $", {traffic.Traffic.Requests} requests, {traffic.InFlight + traffic.Streams} running{lately}");
    }

    private static string Doing(StatusDocument status)
    {
        var work = status.Plan.Working.Count > 0 ? $"{string.Join(", ", status.Plan.Working)}. " : "";
        var until = status.Plan.LookAgainAt is { } at && at > status.At ? $" It looks again at {Words.Until(at, status.At)}, at the latest." : "";
        return $"{work}{status.Plan.Reason.TrimEnd('.')}.{until}";
    }

    private static IEnumerable<Line> Releases(StatusDocument status)
    {
        if (status.Releases.Count == 0)
        {
            return [];
        }

        ReleaseStatus[] failed = [.. status.Releases.Where(release => release is { Phase: ReleasePhase.Rejected, Container: null }).Skip(ShownFailures)];
        ReleaseStatus[] shown = [.. status.Releases.Except(failed)];
        List<IReadOnlyList<string>> rows = [["RELEASE", "HASH", "PHASE", "FOR", "", ""], .. shown.Select(release => RowOf(release, status.At))];
        return
        [
            Line.Empty,
            .. Columns.Align(Indent, rows).Select((row, number) => new Line(row, number == 0 ? Tone.Faint : ToneOf(shown[number - 1].Phase))),
            .. failed.Length == 0 ? Array.Empty<Line>() : [new Line($"{Indent}and before: {string.Join(", ", failed.Select(release => $"{Words.Name(release.Revision, release.Hash)} {release.Failure?.Class}"))}", Tone.Faint)],
        ];
    }

    private static IReadOnlyList<string> RowOf(ReleaseStatus release, DateTimeOffset now) =>
    [
        release.Revision,
        Words.Short(release.Hash),
        release.Phase.ToString(),
        release.Since is { } since ? Words.Span(now - since) : "",
        release.Address ?? "",
        string.Join(", ", Details(release, now)),
    ];

    private static IEnumerable<string> Details(ReleaseStatus release, DateTimeOffset now)
    {
        yield return release.Failure?.Class.ToString() ?? Words.Of(release.Phase);
        if (release is { LastProbe: { } probe, Failure: null } && release.Phase is not (ReleasePhase.Retained or ReleasePhase.Removed))
        {
            yield return $"health check: {probe}";
        }

        if (release.Attempts > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{release.Attempts} failed attempts");
        }

        if (release.BackoffUntil is { } pause && pause > now)
        {
            yield return $"not tried before {Words.Until(pause, now)}";
        }

        if (release.Traffic?.Standby is { } standby)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{standby.Previews} previews, {standby.Canary} requests of the canary, {standby.SentBack} sent back");
        }

        if (release.Traffic is { DrainingSince: not null } draining && draining.InFlight + draining.Streams > 0)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{draining.InFlight} requests and {draining.Streams} streams still run on it");
        }

        if (release.Deadline is { } deadline && deadline > now)
        {
            yield return $"until {Words.Until(deadline, now)}";
        }
    }

    private static Tone ToneOf(ReleasePhase phase) => phase switch
    {
        ReleasePhase.Active or ReleasePhase.Probation => Tone.Good,
        ReleasePhase.Rejected or ReleasePhase.Recovering or ReleasePhase.BackingOff => Tone.Bad,
        ReleasePhase.Retained or ReleasePhase.Removed or ReleasePhase.Superseded => Tone.Faint,
        _ => Tone.Plain,
    };

    private static IEnumerable<Line> NotWell(StatusDocument status)
    {
        Condition[] wrong = [.. status.Conditions.Where(IsTrouble)];
        return wrong.Length == 0 ? [] : [Line.Empty, new("Not well", Tone.Strong), .. wrong.SelectMany(condition => Trouble(condition, LatestFailure(status), status.At))];
    }

    // One that a later deployment has got over is of no interest any more.
    private static ReleaseStatus? LatestFailure(StatusDocument status)
    {
        var since = status.Deployments is [{ End: DeploymentEnd.Succeeded, EndedAt: { } ended }, ..] ? ended : DateTimeOffset.MinValue;
        return status.Releases.Where(release => release.Failure?.At >= since).MaxBy(release => release.Failure!.At);
    }

    // That nothing is kept to go back to is no trouble, and neither is a question without an answer yet; that a document can't be read or kept is.
    private static bool IsTrouble(Condition condition) =>
        condition is { Status: false, Type: not "RollbackAvailable", Reason: not "Progressing" } || condition.SaysNotRead();

    private static IEnumerable<Line> Trouble(Condition condition, ReleaseStatus? failed, DateTimeOffset now)
    {
        var isToldBelow = failed is not null && condition.Message == failed.Failure!.Message;
        var lines = isToldBelow ? [$"{Words.Name(failed!.Revision, failed.Hash)} failed, as is told below."] : condition.Message.Split('\n');
        return [new($"{Indent}{condition.Type} is {(condition.Status is null ? "unknown" : "false")} for {Words.Span(now - condition.Since)}: {lines[0]}", Tone.Bad), .. lines.Skip(1).Select(line => new Line($"{Indent}  {line}"))];
    }

    private static IEnumerable<Line> Failure(ReleaseStatus release) =>
        [Line.Empty, new($"Why {Words.Name(release.Revision, release.Hash)} failed", Tone.Strong), .. Evidence(release.Failure!)];

    private static IEnumerable<Line> Deployments(StatusDocument status)
    {
        if (status.Deployments.Count == 0)
        {
            return [];
        }

        List<IReadOnlyList<string>> rows =
        [
            ["DEPLOYMENT", "RELEASE", "HASH", "BEGAN", "END", "TOOK"],
            .. status.Deployments.Take(ShownDeployments).Select(deployment => RowOf(deployment, status.At)),
        ];
        return [Line.Empty, .. Columns.Align(Indent, rows).Select((row, number) => new Line(row, number == 0 ? Tone.Faint : Tone.Plain))];
    }

    private static IReadOnlyList<string> RowOf(DeploymentStatus deployment, DateTimeOffset now) =>
    [
        deployment.Kind.ToString(),
        deployment.Revision,
        Words.Short(deployment.Hash),
        $"{Words.Span(now - deployment.AcceptedAt)} ago",
        deployment.End?.ToString() ?? "runs",
        Words.Span((deployment.EndedAt ?? now) - deployment.AcceptedAt),
    ];
}
