using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>What the last decision demands of a host that has come to rest: nothing else may matter.</summary>
internal sealed class Demand(SimulatedHost host, SimulatedRelease last)
{
    /// <exception cref="PromiseBrokenException">It isn't so.</exception>
    public void Require()
    {
        var status = host.Controller.Reconciler!.Status;
        var active = SimulatedRelease.All.FirstOrDefault(r => r.Hash == status.Active);
        Require(active is null or { Fate: not ReleaseFate.Fails }, $"{active?.Name} is active, but fails.");
        Require(!status.MaintenanceMode, "Maintenance is up.");
        Require(!status.Paused && host.Proxy.Record?.Snapshot is not { IsPaused: true }, "Traffic is paused.");
        if (last.Fate == ReleaseFate.Serves)
            Require(active == last, $"{last.Name} was decided last, but {active?.Name ?? "none"} is active.");
        else
            Require(status.Deployments.FirstOrDefault(d => d.Hash == last.Hash)?.End is DeploymentEnd.Failed or DeploymentEnd.RolledBack, $"{last.Name} fails, but its deployment doesn't say so.");
        if (active is not null)
            RequireServing(active);
        RequireShown(status);
        RequireTidy(status, active);
    }

    // Nobody but a release that stands by well gets requests beside the active one, and such a one does where its configuration or an order says so.
    private void RequireShown(StatusDocument status)
    {
        var standbys = status.Releases.Where(r => r.Phase == ReleasePhase.Standby).Select(r => SimulatedRelease.All.First(s => s.Hash == r.Hash)).ToList();
        var shown = host.Proxy.Record?.Snapshot?.Standby;
        Require(shown is not null || standbys.All(s => !s.IsPreviewed && s.Hash != status.Canary?.Hash), "A release stands by and isn't shown.");
        Require(shown is null || standbys.Any(s => s.Hash == shown.Target.Release), $"{shown?.Target.Revision} gets requests and doesn't stand by.");
        var container = shown is null ? null : host.Engine.At(shown.Target.Address.Split(':')[0]);
        Require(shown is null || (container?.Id == shown.Target.ContainerId && container.IsHealthy(host.Time)), $"{shown?.Target.Revision} gets requests and isn't healthy.");
        Require(status.Canary is null || (shown?.Target.Release == status.Canary.Hash && shown.Canary?.Percent == status.Canary.Percent), "The canary isn't as ordered.");
    }

    private void RequireServing(SimulatedRelease active)
    {
        var target = host.Proxy.Record?.Snapshot?.Target;
        Require(host.Proxy.IsUp, "The Proxy is down.");
        Require(target?.Release == active.Hash, $"{active.Name} is active, but the Proxy's target is {target?.Revision ?? "none"}.");
        var container = host.Engine.At(target!.Address.Split(':')[0]);
        Require(container?.Id == target.ContainerId && container.IsHealthy(host.Time) && container.StartedAt == target.StartedAt, $"The Proxy's target {target.Revision} isn't healthy.");
    }

    private void RequireTidy(StatusDocument status, SimulatedRelease? active)
    {
        var names = host.Ours.Select(c => $"{c.Name} {c.Status}").ToList();
        var running = host.Ours.Count(c => c.IsRunning);
        var standbys = status.Releases.Count(r => r.Phase == ReleasePhase.Standby);
        Require(running == standbys + (active is null ? 0 : 1), $"{running} containers run, for {standbys} standbys and {active?.Name ?? "no active release"}: {string.Join(", ", names)}.");
        Require(host.Ours.Count() - running <= 1, $"More than one stopped container is kept: {string.Join(", ", names)}.");
        Require(status.Plan.Working.Count == 0, "Something is under way.");
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new PromiseBrokenException(otherwise);
    }
}
