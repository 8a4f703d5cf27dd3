using System.Collections.Concurrent;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Observing;

/// <summary>Probes running containers: at once and then ever less often while they start, at the configured interval once they are ready.</summary>
/// <param name="client">Sends the probes.</param>
/// <param name="failed">Called when a ready run fails a probe: perhaps an event of the engine was missed, so its containers are to be listed again.</param>
/// <param name="wake">Called when a verdict has changed.</param>
/// <param name="portsOf">Looks up on which ports a process listens.</param>
/// <param name="time">The clock.</param>
internal sealed class Prober(HealthClient client, Action failed, Action wake, Func<int, ValueList<int>> portsOf, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<ProbeSubject, Verdict> _verdicts = new();
    private readonly Dictionary<ProbeSubject, (CancellationTokenSource Stop, Task Loop)> _loops = [];

    /// <summary>What the probes of a run of a container said; kept for a run that has ended until <see cref="Watch"/> forgets it.</summary>
    public Verdict VerdictOf(ProbeSubject subject) => _verdicts.GetValueOrDefault(subject, Verdict.Unverified);

    /// <summary>Probes exactly these runs from now on, and remembers verdicts only of these and of the ones named in <paramref name="remembered"/>.</summary>
    public void Watch(IReadOnlyDictionary<ProbeSubject, ProbeSpec> specs, IReadOnlySet<ProbeSubject> remembered)
    {
        foreach (var subject in _loops.Keys.Except(specs.Keys).ToList())
        {
            if (_loops.Remove(subject, out var loop))
                loop.Stop.Cancel();
        }

        foreach (var subject in _verdicts.Keys.Where(s => !specs.ContainsKey(s) && !remembered.Contains(s)))
            _verdicts.TryRemove(subject, out _);
        foreach (var (subject, spec) in specs.Where(s => !_loops.ContainsKey(s.Key)))
        {
            _verdicts.TryAdd(subject, spec.Trusted ? Verdict.Unverified with { State = Readiness.Ready, EverReady = true } : Verdict.Unverified);
            var stop = new CancellationTokenSource();
            _loops[subject] = (stop, ProbeAsync(subject, spec, stop.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (stop, _) in _loops.Values)
            await stop.CancelAsync();
        await Task.WhenAll(_loops.Values.Select(l => l.Loop));
    }

    private async Task ProbeAsync(ProbeSubject subject, ProbeSpec spec, CancellationToken cancellationToken)
    {
        var check = spec.Configuration.HealthCheck;
        var streak = new ProbeStreak(check.Successes, check.Failures);
        var pause = FirstPause;
        try
        {
            while (true)
            {
                var result = await client.ProbeAsync(spec.Configuration.ToProbe(), spec.Address, cancellationToken);
                if (result is not null)
                    Note(subject, spec, streak.Judge(VerdictOf(subject), result));
                pause = VerdictOf(subject).State == Readiness.Ready || pause > check.Interval ? check.Interval : pause;
                await Task.Delay(pause, time, cancellationToken);
                pause *= 1.5;
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over or nobody asks about it any more.
        }
    }

    private void Note(ProbeSubject subject, ProbeSpec spec, Verdict verdict)
    {
        if (verdict.LastFailure == ProbeFailure.Refused && spec.Pid is { } pid)
            verdict = verdict with { ListeningPorts = portsOf(pid) };
        var before = VerdictOf(subject);
        _verdicts[subject] = verdict;
        if (verdict.LastFailure is not null && before.LastFailure is null && before.State == Readiness.Ready)
            failed();
        else if (before.State != verdict.State || before.LastFailure != verdict.LastFailure)
            wake();
    }
}

/// <summary>One run of a container.</summary>
internal readonly record struct ProbeSubject(string ContainerId, DateTimeOffset StartedAt);

/// <summary>How a run is probed.</summary>
/// <param name="Address">Where.</param>
/// <param name="Pid">Process on the host, to look up where it listens.</param>
/// <param name="Configuration">How its health is judged.</param>
/// <param name="Trusted">Whether it was seen ready before this Controller started: it counts as ready until its first probe.</param>
internal sealed record ProbeSpec(string Address, int? Pid, LaunchConfiguration Configuration, bool Trusted);

/// <summary>Counts results in a row.</summary>
internal sealed class ProbeStreak(int successesNeeded, int failuresAllowed)
{
    private int _successes;
    private int _failures;

    /// <summary>The verdict after one more result.</summary>
    public Verdict Judge(Verdict before, ProbeResult result)
    {
        _successes = result.Failure is null ? _successes + 1 : 0;
        _failures = result.Failure is null ? 0 : _failures + 1;
        var state = before.State;
        if (_successes >= successesNeeded)
            state = Readiness.Ready;
        else if (_failures >= failuresAllowed && before.EverReady)
            state = Readiness.Unready;
        return before with
        {
            State = state,
            EverReady = before.EverReady || state == Readiness.Ready,
            Probes = before.EverReady ? before.Probes : before.Probes + 1,
            LastFailure = result.Failure,
            LastAnswer = result.Answer,
            ListeningPorts = [],
        };
    }
}
