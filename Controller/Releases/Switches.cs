using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.Controller.Releases;

/// <summary>Decides that traffic is to move.</summary>
internal static class Switches
{
    /// <summary>The step that writes the intent; the next ones carry it through.</summary>
    public static Step Decide(Situation s, string row, ContainerRef to, string reason)
    {
        var fence = s.Journal.Fence + 1;
        return new Step(row, reason)
        {
            Journal = s.Journal with { Fence = fence, Switch = new SwitchIntent(s.Journal.Active?.Ref, to, fence, null, s.Now) },
        };
    }
}
