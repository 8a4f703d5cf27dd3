using Stateless;
using Stateless.Graph;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Releases;

/// <summary>
/// The ways from phase to phase that a release may take. The phase itself is computed from facts; this says which changes make sense,
/// so that the diagram in ARCHITECTURE.md can be made from it and the life of every release in the tests of the plan can be held against it.
/// </summary>
internal static class PhaseGraph
{
    private static readonly (ReleasePhase From, ReleasePhase To, string Because)[] Ways =
    [
        (ReleasePhase.Accepted, ReleasePhase.Pulling, "image absent"),
        (ReleasePhase.Accepted, ReleasePhase.Creating, "image here"),
        (ReleasePhase.Accepted, ReleasePhase.Superseded, "another is wanted"),
        (ReleasePhase.Pulling, ReleasePhase.Creating, "image here"),
        (ReleasePhase.Pulling, ReleasePhase.Accepted, "image here, no room yet"),
        (ReleasePhase.Pulling, ReleasePhase.BackingOff, "registry or disk at fault"),
        (ReleasePhase.Pulling, ReleasePhase.Rejected, "no such image"),
        (ReleasePhase.Pulling, ReleasePhase.Removed, "withdrawn, or another is wanted"),
        (ReleasePhase.Creating, ReleasePhase.Starting, "created"),
        (ReleasePhase.Creating, ReleasePhase.Stopping, "withdrawn, or another is wanted"),
        (ReleasePhase.Creating, ReleasePhase.BackingOff, "engine at fault"),
        (ReleasePhase.Creating, ReleasePhase.Rejected, "bad option"),
        (ReleasePhase.Starting, ReleasePhase.Verifying, "runs"),
        (ReleasePhase.Starting, ReleasePhase.BackingOff, "engine at fault"),
        (ReleasePhase.Starting, ReleasePhase.Rejected, "can't start"),
        (ReleasePhase.Starting, ReleasePhase.Stopping, "withdrawn, or another is wanted"),
        (ReleasePhase.Verifying, ReleasePhase.Standby, "healthy"),
        (ReleasePhase.Verifying, ReleasePhase.Activating, "healthy, and traffic is to move"),
        (ReleasePhase.Verifying, ReleasePhase.BackingOff, "exited, was healthy before"),
        (ReleasePhase.Verifying, ReleasePhase.Rejected, "exited, or deadline over"),
        (ReleasePhase.Verifying, ReleasePhase.Superseded, "another is wanted"),
        (ReleasePhase.Verifying, ReleasePhase.Stopping, "another is wanted, runs"),
        (ReleasePhase.BackingOff, ReleasePhase.Pulling, "time over, image absent"),
        (ReleasePhase.BackingOff, ReleasePhase.Creating, "time over, no container"),
        (ReleasePhase.BackingOff, ReleasePhase.Starting, "time over"),
        (ReleasePhase.BackingOff, ReleasePhase.Superseded, "another is wanted"),
        (ReleasePhase.BackingOff, ReleasePhase.Removed, "another is wanted, no container"),
        (ReleasePhase.Standby, ReleasePhase.Activating, "switch decided"),
        (ReleasePhase.Standby, ReleasePhase.Verifying, "unready"),
        (ReleasePhase.Standby, ReleasePhase.BackingOff, "exited"),
        (ReleasePhase.Standby, ReleasePhase.Starting, "stopped from outside"),
        (ReleasePhase.Standby, ReleasePhase.Rejected, "exited too often"),
        (ReleasePhase.Standby, ReleasePhase.Stopping, "another is active, or time over"),
        (ReleasePhase.Standby, ReleasePhase.Superseded, "another is active"),
        (ReleasePhase.Activating, ReleasePhase.Probation, "traffic moved"),
        (ReleasePhase.Activating, ReleasePhase.Active, "traffic moved, none to go back to"),
        (ReleasePhase.Activating, ReleasePhase.Standby, "given up"),
        (ReleasePhase.Activating, ReleasePhase.Rejected, "exited, or the route is taken"),
        (ReleasePhase.Probation, ReleasePhase.Active, "probation over"),
        (ReleasePhase.Probation, ReleasePhase.Rejected, "failed: traffic goes back"),
        (ReleasePhase.Active, ReleasePhase.Recovering, "down or unready"),
        (ReleasePhase.Probation, ReleasePhase.Recovering, "down or unready"),
        (ReleasePhase.Recovering, ReleasePhase.Active, "ready"),
        (ReleasePhase.Recovering, ReleasePhase.Draining, "another is active"),
        (ReleasePhase.Active, ReleasePhase.Draining, "another is active"),
        (ReleasePhase.Active, ReleasePhase.Activating, "to be reloaded"),
        (ReleasePhase.Probation, ReleasePhase.Draining, "another is active"),
        (ReleasePhase.Probation, ReleasePhase.Activating, "to be reloaded"),
        (ReleasePhase.Draining, ReleasePhase.Active, "the other one failed on probation"),
        (ReleasePhase.Draining, ReleasePhase.Standby, "wanted again"),
        (ReleasePhase.Draining, ReleasePhase.Activating, "wanted again, ready"),
        (ReleasePhase.Draining, ReleasePhase.Retained, "ended by itself"),
        (ReleasePhase.Draining, ReleasePhase.Removed, "container gone"),
        (ReleasePhase.Draining, ReleasePhase.Stopping, "probation over, idle or deadline"),
        (ReleasePhase.Stopping, ReleasePhase.Retained, "stopped"),
        (ReleasePhase.Retained, ReleasePhase.Starting, "wanted again"),
        (ReleasePhase.Retained, ReleasePhase.Removed, "a later one is retained"),
        (ReleasePhase.Retained, ReleasePhase.Stopping, "a later one is retained, or room is needed"),
        (ReleasePhase.Superseded, ReleasePhase.Stopping, "runs"),
        (ReleasePhase.Superseded, ReleasePhase.Removed, "doesn't run"),
        (ReleasePhase.Stopping, ReleasePhase.Removed, "no purpose"),
        (ReleasePhase.Rejected, ReleasePhase.Accepted, "decided anew"),
        (ReleasePhase.Rejected, ReleasePhase.Creating, "decided anew, image here"),
        (ReleasePhase.Rejected, ReleasePhase.Pulling, "decided anew, image absent"),
        (ReleasePhase.Removed, ReleasePhase.Accepted, "decided anew"),
        (ReleasePhase.Removed, ReleasePhase.Pulling, "decided anew, image absent"),
    ];

    /// <summary>Whether a release may come from one phase to another without one in between.</summary>
    public static bool Permits(ReleasePhase from, ReleasePhase to) => Ways.Any(way => way.From == from && way.To == to);

    /// <summary>The diagram as Mermaid text.</summary>
    public static string ToMermaid() => MermaidGraph.Format(Configured().GetInfo(), MermaidGraphDirection.TopToBottom);

    private static StateMachine<ReleasePhase, string> Configured()
    {
        var machine = new StateMachine<ReleasePhase, string>(ReleasePhase.Accepted);
        foreach (var (from, to, because) in Ways)
            machine.Configure(from).Permit(because, to);
        return machine;
    }
}
