using System.Collections.Concurrent;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;
using Wunderproxy.Controller.Reporting;

namespace Wunderproxy.Controller.Acting;

/// <summary>Runs effects beside the loop, one at a time for each subject, and remembers those that failed.</summary>
internal sealed partial class EffectRunner(
    EngineActor actor,
    ImageProvider images,
    ProxyActor proxy,
    ConfigurationCache configurations,
    ReconcilerCounts counts,
    Action changed,
    Action wake,
    TimeProvider time,
    Random random,
    ILogger logger)
{
    private const int RemovalsTried = 6;
    private static readonly TimeSpan ProgressPause = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, (Effect Effect, Task Task)> _working = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, EffectFailure> _failures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _pulled = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _removedImages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, PullProgress> _progress = new(StringComparer.Ordinal);

    /// <summary>What is under way, what failed, and what was brought about.</summary>
    public EffectReport Report => new()
    {
        Working = [.. _working.Values.Select(w => w.Effect)],
        Failures = new Dictionary<string, EffectFailure>(_failures),
        Pulled = new Dictionary<string, string>(_pulled),
        RemovedImages = _removedImages.Keys.ToHashSet(StringComparer.Ordinal),
    };

    /// <summary>Effects in words, with the progress of those that are under way.</summary>
    public IReadOnlyList<string> InWords(IEnumerable<Effect> effects) => [.. effects.Select(Describe)];

    /// <summary>How far the image of a release has been pulled; absent: it isn't being pulled, or nothing is known yet.</summary>
    public PullProgress? PullOf(string hash) =>
        _working.Values.Select(work => work.Effect).OfType<Effect.Pull>().FirstOrDefault(pull => pull.Hash == hash) is { } pull ? _progress.GetValueOrDefault(pull.Subject) : null;

    /// <summary>Begins an effect; its subject is busy until it has ended.</summary>
    public void Begin(Effect effect, CancellationToken cancellationToken)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = RunAsync(effect, start.Task, cancellationToken);
        if (_working.TryAdd(effect.Subject, (effect, task)))
            start.SetResult();
        else
            throw new InvalidOperationException($"{effect.Subject} is busy.");
    }

    /// <summary>Moves the times of failures along with the clock.</summary>
    public void MoveTimes(ClockJump jump)
    {
        foreach (var (key, failure) in _failures)
            _failures.TryUpdate(key, failure with { At = jump.Move(failure.At), RetryAt = jump.Move(failure.At) + (failure.RetryAt - failure.At) }, failure);
    }

    /// <summary>Waits for everything that is under way, after it was cancelled.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(_working.Values.Select(w => w.Task));

    /// <summary>Forgets failures that nobody can ask about any more: those of subjects without purpose that are older than an hour.</summary>
    private void Forget(DateTimeOffset now)
    {
        foreach (var failure in _failures.Values.Where(f => now - f.At > TimeSpan.FromHours(1)))
            _failures.TryRemove(failure.Effect.Key, out _);
    }

    private async Task RunAsync(Effect effect, Task started, CancellationToken cancellationToken)
    {
        await started;
        var began = time.GetTimestamp();
        EffectResult result;
        try
        {
            result = await ActAsync(effect, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            result = new EffectResult(Outcome.Ambiguous, "The Controller stopped");
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            ForgetAbsentImage(effect, exception);
            result = EffectResult.Of(effect, exception);
        }

        Note(effect, result, time.GetElapsedTime(began));
        _progress.TryRemove(effect.Subject, out _);

        // In this order: whoever sees that the effect isn't under way any more must not see the world from before it.
        if (ChangesContainers(effect))
            changed();
        _working.TryRemove(effect.Subject, out _);
        wake();
    }

    private static bool ChangesContainers(Effect effect) => effect is not (Effect.Pull or Effect.Route or Effect.Show or Effect.RaiseFence);

    // An image that was brought here may have been removed since, when no release needed it: then it is brought here again.
    private void ForgetAbsentImage(Effect effect, Exception exception)
    {
        if (effect is Effect.Create create && exception is EngineException { Fault: EngineFault.NotFound })
            _pulled.TryRemove(create.Container.Hash, out _);
    }

    private Task<EffectResult> ActAsync(Effect effect, CancellationToken cancellationToken) => effect switch
    {
        Effect.Pull pull => PullAsync(pull, cancellationToken),
        Effect.Create create => actor.CreateAsync(create, cancellationToken),
        Effect.Start start => actor.StartAsync(start, cancellationToken),
        Effect.Stop stop => StopAsync(stop, cancellationToken),
        Effect.Remove remove => actor.RemoveAsync(remove, cancellationToken),
        Effect.RemoveImage removeImage => RemoveImageAsync(removeImage, cancellationToken),
        Effect.Route route => proxy.RouteAsync(route, cancellationToken),
        Effect.Show show => proxy.ShowAsync(show, cancellationToken),
        Effect.RaiseFence fence => proxy.FenceAsync(fence.Id ?? "", fence.Fence, mustBeIdle: false, cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(effect), effect, "Not an effect."),
    };

    private async Task<EffectResult> PullAsync(Effect.Pull pull, CancellationToken cancellationToken)
    {
        var configuration = configurations.Find(pull.Hash) ?? throw new InvalidOperationException($"The configuration {pull.Hash} has vanished.");
        var progress = new PullNote(p => _progress[pull.Subject] = p, wake, time);
        _pulled[pull.Hash] = await images.BringAsync(configuration, pull.Reference, progress, cancellationToken);
        _removedImages.TryRemove(pull.Reference, out _);
        return EffectResult.Done;
    }

    private async Task<EffectResult> RemoveImageAsync(Effect.RemoveImage effect, CancellationToken cancellationToken)
    {
        var result = await actor.RemoveImageAsync(effect, cancellationToken);
        if (result.Outcome != Outcome.Done && (_failures.GetValueOrDefault(effect.Key)?.Count ?? 0) < RemovalsTried - 1)
            return result;

        // An image that stays in use is somebody else's by now.
        _removedImages[effect.Reference] = true;
        return EffectResult.Done;
    }

    // The guard of every stop: once the Proxy has acknowledged the fence, no request and no delayed switch reaches the container any more.
    private async Task<EffectResult> StopAsync(Effect.Stop stop, CancellationToken cancellationToken)
    {
        var fenced = await proxy.FenceAsync(stop.Id, stop.Fence, stop.MustBeIdle, cancellationToken);
        return fenced.Outcome == Outcome.Done ? await actor.StopAsync(stop, cancellationToken) : fenced;
    }

    private void Note(Effect effect, EffectResult result, TimeSpan elapsed)
    {
        var kind = effect.GetType().Name;
        counts.EffectEnded(kind, result.Outcome);
        if (result.Outcome == Outcome.Done)
        {
            _failures.TryRemove(effect.Key, out _);
            LogDone(kind, effect.Subject, elapsed.TotalMilliseconds);
            return;
        }

        var now = time.GetUtcNow();
        Forget(now);
        var count = (_failures.GetValueOrDefault(effect.Key)?.Count ?? 0) + 1;
        _failures[effect.Key] = new EffectFailure(effect, result.Outcome, result.Class, result.Message, now, count, now + Pause(effect, result.Outcome, count));
        LogFailed(kind, effect.Subject, result.Outcome, elapsed.TotalMilliseconds, result.Message);
    }

    // Traffic is at stake where the Proxy is: it is asked again soon. All else is asked ever less often.
    private TimeSpan Pause(Effect effect, Outcome outcome, int count) => outcome switch
    {
        Outcome.Ambiguous => TimeSpan.FromMilliseconds(100),
        _ when effect is Effect.Route or Effect.RaiseFence or Effect.Stop => TimeSpan.FromSeconds(Math.Min(count, 4) * 0.25),
        _ => Backoff.OfEffect(count, random.NextDouble()),
    };

    private string Describe(Effect effect) => _progress.TryGetValue(effect.Subject, out var progress)
        ? $"{effect.GetType().Name} {effect.Subject}: {progress.Status}, {Words.Size(progress.Bytes)} of {Words.Size(progress.TotalBytes)}"
        : $"{effect.GetType().Name} {effect.Subject}";

    /// <summary>Passes progress on at once, so that none comes after the pull has ended, and has it told now and then.</summary>
    private sealed class PullNote(Action<PullProgress> note, Action tell, TimeProvider time) : IProgress<PullProgress>
    {
        private long? _told;

        public void Report(PullProgress value)
        {
            note(value);
            if (_told is { } told && time.GetElapsedTime(told) < ProgressPause)
                return;
            _told = time.GetTimestamp();
            tell();
        }
    }

    [LoggerMessage(320, LogLevel.Information, "{Effect} of {Subject} was done in {ElapsedMs:0} ms")]
    private partial void LogDone(string effect, string subject, double elapsedMs);

    [LoggerMessage(321, LogLevel.Warning, "{Effect} of {Subject} ended {Outcome} after {ElapsedMs:0} ms. {Reason}")]
    private partial void LogFailed(string effect, string subject, Outcome outcome, double elapsedMs, string reason);
}
