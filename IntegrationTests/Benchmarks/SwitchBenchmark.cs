using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What visitors notice of a switch: the slowest hundredth around it against the slowest hundredth of the rest.</summary>
internal static class SwitchBenchmark
{
    private const int DefaultRounds = 10;
    private static readonly TimeSpan Around = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(500);

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        using var engine = new Engine(lab.DockerSocket);
        var images = new PageImages(lab, engine);
        await images.PrepareBaseAsync(cancellationToken);
        await using var application = await BenchedApplication.StartAsync(lab, "switch");
        await DeployFirstAsync(application, images, cancellationToken);
        var rounds = new List<Round>();
        await using var load = new Load(application.Public);
        await Eventually.PassAsync(Quiet * 2);
        var warm = TimeProvider.System.GetTimestamp();
        for (var i = 1; i <= (options.Rounds ?? DefaultRounds); i++)
            rounds.Add(await SwitchAsync(application, images, load, $"switch{i}", cancellationToken));
        return Report([.. load.Requests.Where(r => r.Begun >= warm)], rounds);
    }

    private static async Task DeployFirstAsync(BenchedApplication application, PageImages images, CancellationToken cancellationToken)
    {
        var image = await images.PublishAsync("switch0", cancellationToken);
        var hash = await application.PublishAsync("switch0", image);
        await application.MakeCurrentAsync("switch0", image);
        await application.SettleAsync(hash);
    }

    private static async Task<Round> SwitchAsync(BenchedApplication application, PageImages images, Load load, string version, CancellationToken cancellationToken)
    {
        var busy = TimeProvider.System.GetTimestamp();
        var hash = await application.PublishAsync(version, await images.PublishAsync(version, cancellationToken));
        await application.OrderAsync("launch", hash, cancellationToken);
        await Eventually.PassAsync(Calm);
        var launched = TimeProvider.System.GetTimestamp();
        await Eventually.PassAsync(Quiet);
        await application.OrderAsync("switch", hash, cancellationToken);
        await application.SettleAsync(hash);
        var settled = TimeProvider.System.GetTimestamp();
        await Eventually.PassAsync(Quiet);
        var switched = load.Requests.Where(r => r.Version == version).Min(r => r.Begun);
        await Console.Error.WriteLineAsync($"switched to {version}");
        return new Round(version, busy, launched, switched, settled);
    }

    private static string Report(List<Request> requests, List<Round> rounds)
    {
        var around = requests.Where(r => rounds.Exists(round => round.IsAround(r))).ToList();
        var quiet = requests.Where(r => !rounds.Exists(round => round.IsAround(r) || round.IsBusy(r))).ToList();
        var rest = requests.Where(r => !rounds.Exists(round => round.IsAround(r))).ToList();
        var table = RequestTable.Begin($"Switch under load: {Load.Description}, {rounds.Count} switches");
        table.Add("within 250 ms before and after a switch", around);
        table.Add("the rest", rest);
        table.Add("of it: while nothing is deployed", quiet);
        var stale = requests.Count(r => rounds.Exists(round => round.IsStale(r, rounds)));
        return table.With($"p99 around a switch: **{around.P99Ms() / rest.P99Ms():0.00}×** that of the rest, {around.P99Ms() / quiet.P99Ms():0.00}× that while nothing is deployed (goal: at most 2×). Failed requests: **{requests.Count(r => r.Version is null)}** of {requests.Count}. Answers of a replaced release to requests begun after the new one had answered: **{stale}**.");
    }

    /// <summary>One switch, in timestamps.</summary>
    /// <param name="Version">What was switched to.</param>
    /// <param name="Busy">The image was built from here on.</param>
    /// <param name="Launched">The new release had been standing by for a while.</param>
    /// <param name="Switched">The first request that the new release answered was sent.</param>
    /// <param name="Settled">The old one had been stopped.</param>
    private sealed record Round(string Version, long Busy, long Launched, long Switched, long Settled)
    {
        public bool IsAround(Request request) =>
            Math.Abs(request.Begun - Switched) <= Around.TotalSeconds * TimeProvider.System.TimestampFrequency;

        public bool IsBusy(Request request) =>
            (request.Begun >= Busy && request.Begun < Launched) || (request.Begun > Switched && request.Begun < Settled);

        // A request that was due, but not sent, before the switch may have any answer; so may one that was sent while the first one was under way.
        public bool IsStale(Request request, List<Round> rounds) =>
            request.Version is not null && request.Version != Version && request.Begun > Settled
            && !rounds.Exists(later => later.Switched > Switched && request.Begun >= later.Switched - TimeProvider.System.TimestampFrequency);
    }
}
