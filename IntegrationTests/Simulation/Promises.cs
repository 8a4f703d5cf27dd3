using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Proxy.Control;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>What always holds, looked at whenever something changes.</summary>
internal sealed class Promises
{
    private const int MaxContainers = 4;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeadlineSlack = TimeSpan.FromSeconds(5);

    private readonly SimulatedHost _host;
    private readonly HashSet<string> _removedByOthers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (long Latest, long? Former)> _starts = new(StringComparer.Ordinal);
    private readonly HashSet<string> _judged = new(StringComparer.Ordinal);

    public Promises(SimulatedHost host)
    {
        _host = host;
        host.Engine.Changing = Changing;
        host.Engine.Happened = Happened;
        host.Proxy.Writing = Writing;
    }

    /// <summary>Names of the releases that a fault has touched since the last decision.</summary>
    public HashSet<string> Touched { get; } = new(StringComparer.Ordinal);

    public void RemoveByForce(SimulatedContainer container)
    {
        _removedByOthers.Add(container.Id);
        _host.Engine.RemoveByForce(container);
    }

    /// <summary>A request found nobody at its target: that must be a fault's doing.</summary>
    public void RequireExcuse(Target target)
    {
        var container = _host.Engine.Containers.FirstOrDefault(c => c.Id == target.ContainerId);
        if (container is null && !_removedByOthers.Contains(target.ContainerId))
            throw new PromiseBrokenException($"The target {target.Revision} was removed.");
        if (container is { IsRunning: false, EndedBy: EndedBy.Call })
            throw new PromiseBrokenException($"The target {container.Name} was stopped.");
        if (container is { StartedAt: null })
            throw new PromiseBrokenException($"The target {container.Name} has never run.");
    }

    public async Task WatchAsync()
    {
        while (true)
        {
            await Task.Delay(LookInterval, _host.Time);
            if (_host.Controller.Reconciler is not { } reconciler)
                continue;
            if (!reconciler.IsAlive)
                throw new PromiseBrokenException("The loop of the Controller is stuck.");
            var isYoung = _host.Thread.Now - _host.Controller.UpSince < DeadlineSlack.Ticks;
            foreach (var deployment in reconciler.Status.Deployments.Where(d => d.Failure is not null && _judged.Add(d.Id) && !isYoung))
                RequirePatience(deployment);
            if (!reconciler.Started.IsCompleted || isYoung)
                continue;
            var late = reconciler.Status.Deployments.FirstOrDefault(d => d.End is null && _host.Time.GetUtcNow() > d.Deadline + DeadlineSlack);
            if (late is not null && _host.Thread.Now - _lastJump > DeadlineSlack.Ticks)
                throw new PromiseBrokenException($"{late.Id} of {late.Revision} has no end {DeadlineSlack} after its deadline: {late.Message}");
        }
    }

    // It is seen a second later at the most, when it may have been started again. What the clock is set by a few seconds counts like time that passed.
    private void RequirePatience(DeploymentStatus deployment)
    {
        if (deployment.Failure!.Message.Contains("was not healthy within", StringComparison.Ordinal)
            && _starts.TryGetValue(deployment.Hash, out var starts) && StartOf(starts) is var start && _host.Thread.Now - start < (SimulatedRelease.HealthDeadline - ClockWatch.Tolerance).Ticks)
            throw new PromiseBrokenException($"{deployment.Revision} was given less time than it has: {deployment.Failure.Message}");
    }

    private void Happened(string what, SimulatedContainer container)
    {
        _host.Story.Tell("Engine", $"{what} {container.Name}");
        if (what == "start" && container.Labels.TryGetValue(ContainerLabels.Hash, out var hash))
            _starts[hash] = (_host.Thread.Now, _starts.TryGetValue(hash, out var before) ? before.Latest : null);
    }

    private long StartOf((long Latest, long? Former) starts) =>
        starts.Former is { } former && _host.Thread.Now - starts.Latest < 2 * LookInterval.Ticks ? former : starts.Latest;

    private long _lastJump = long.MinValue / 2;

    /// <summary>The time of day jumped; deadlines may be over at once.</summary>
    public void Jumped() => _lastJump = _host.Thread.Now;

    private void Changing(string what, SimulatedContainer container)
    {
        if (what == "create")
        {
            if (SimulatedHost.IsOurs(container) && _host.Ours.Count() >= MaxContainers)
                throw new PromiseBrokenException($"{container.Name} is created though {MaxContainers} containers are there.");
            return;
        }

        if (!SimulatedHost.IsOurs(container))
        {
            if (what != "start")
                throw new PromiseBrokenException($"{what} of {container.Name}, which is not ours.");
            return;
        }

        if (what is not ("stop" or "kill" or "remove") || _host.Proxy.Record?.Snapshot is not { } snapshot)
            return;
        if (snapshot.Target?.ContainerId == container.Id)
            throw new PromiseBrokenException($"{what} of {container.Name}, which is the Proxy's target.");
        if (snapshot.Standby?.Target.ContainerId == container.Id)
            throw new PromiseBrokenException($"{what} of {container.Name}, which stands by and gets requests.");
    }

    private void Writing(ApplicationRecord? former, ApplicationRecord next)
    {
        if (next.Snapshot?.Standby?.Target is { } standby && !standby.IsSameAs(former?.Snapshot?.Standby?.Target))
            RequireThere(standby, "Requests were sent");
        if (next.Snapshot?.Target is not { } target)
        {
            if (former?.Snapshot?.Target is not null)
                throw new PromiseBrokenException("The Proxy's target was taken away.");
            return;
        }

        if (target.IsSameAs(former?.Snapshot?.Target))
            return;
        RequireThere(target, "Traffic was moved");
    }

    private void RequireThere(Target target, string otherwise)
    {
        _host.Story.Tell("Proxy", $"{otherwise} to {target.Revision} at {target.Address}");
        var container = _host.Engine.Containers.FirstOrDefault(c => c.Id == target.ContainerId);
        if (container is null && !_removedByOthers.Contains(target.ContainerId))
            throw new PromiseBrokenException($"{otherwise} to {target.Revision}, whose container doesn't exist.");
        if (container is { EndedBy: EndedBy.Call })
            throw new PromiseBrokenException($"{otherwise} to {container.Name}, which is being stopped or was.");
    }
}
