using System.Diagnostics.CodeAnalysis;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>What is served now, for every request to read and for the control API to exchange.</summary>
/// <remarks>Reading takes no lock. <see cref="Serve"/> and <see cref="Forget"/> are called by one caller at a time.</remarks>
/// <param name="connect">Makes the connections of a target.</param>
/// <param name="time">Clock of statistics and drains.</param>
internal sealed class TargetTable(Func<Target, HttpMessageInvoker> connect, TimeProvider time)
{
    private readonly Serving _nothing = new(null, null, new TrafficRecorder(time));
    private volatile ServedApplication? _application;

    /// <summary>What is served at this instant.</summary>
    public Serving Current => _application?.Serving ?? _nothing;

    /// <summary>Takes hold of the active target for one request.</summary>
    /// <param name="serving">What was served at the instant of the claim.</param>
    /// <param name="claim">The hold, to be disposed when the request has ended.</param>
    /// <returns><see langword="false"/> if there is no target, or maintenance is up.</returns>
    /// <remarks>
    /// A claim fails only on a target that is closed, and a target is closed only after its successor is in place. So each further round
    /// reads a newer state, and there are no more rounds than switches in the meantime.
    /// </remarks>
    public bool TryClaim(out Serving serving, [NotNullWhen(true)] out Claim? claim)
    {
        while (true)
        {
            serving = Current;
            claim = null;
            if (serving.Maintenance is not null || serving.Upstream is not { } upstream)
            {
                return false;
            }

            if (upstream.TryClaim(out claim))
            {
                return true;
            }
        }
    }

    /// <summary>Serves by a snapshot from now on. Where its target is another one than before, the former one drains.</summary>
    public void Serve(ApplicationSnapshot snapshot)
    {
        var application = _application ?? new ServedApplication(_nothing, time);
        var replaced = application.Take(snapshot, connect);
        _application = application;
        replaced?.Drain(snapshot.DrainTimeout, snapshot.StreamDrainTimeout);
    }

    /// <summary>Serves nothing from now on; the former target drains.</summary>
    public void Forget(TimeSpan plainLimit, TimeSpan streamLimit)
    {
        var upstream = Current.Upstream;
        _application = null;
        upstream?.Drain(plainLimit, streamLimit);
    }

    /// <summary>Traffic of the targets that were active, newest first.</summary>
    public IReadOnlyList<TargetTraffic> ReportTargets() => _application?.ReportTargets() ?? [];

    /// <summary>Traffic of all targets and of requests without one.</summary>
    public Traffic ReportTotal() => _application?.ReportTotal() ?? _nothing.Untargeted.Report();
}
