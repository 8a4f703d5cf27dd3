using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Acting;

/// <summary>Ends drains at an operator's word, or prolongs them. The plan learns of it from the Proxy, as of everything that runs there.</summary>
/// <param name="proxy">Where requests run on.</param>
/// <param name="settings">Whose drains they are.</param>
/// <param name="wake">Called when a limit has changed.</param>
/// <param name="time">The clock.</param>
internal sealed class DrainLimits(IProxyControl proxy, ProxyActorSettings settings, Action wake, TimeProvider time)
{
    // The Proxy gives no more.
    private static readonly TimeSpan Longest = TimeSpan.FromHours(24);

    /// <summary>Does as the order says with each release that it means.</summary>
    public async Task<DrainOutcome> ApplyAsync(DrainOrder order, CancellationToken cancellationToken)
    {
        try
        {
            var draining = MeantBy(order, await proxy.GetStateAsync(settings.Application, cancellationToken));
            return draining.Count == 0 ? NotDraining(order) : await LimitAsync(order, draining, cancellationToken);
        }
        catch (ProxyException e)
        {
            return new DrainOutcome.Refused(DrainRefusal.ProxyUnavailable, e.Message);
        }
    }

    private async Task<DrainOutcome> LimitAsync(DrainOrder order, IReadOnlyList<TargetTraffic> draining, CancellationToken cancellationToken)
    {
        ApplicationState? state = null;
        foreach (var target in draining)
        {
            switch (await proxy.LimitDrainAsync(settings.Application, RequestFor(order, target), cancellationToken))
            {
                case ApplyOutcome.Applied applied:
                    state = applied.State;
                    break;
                case ApplyOutcome.Refused { Problem.Type: not ControlProblem.NotDraining } refused:
                    return new DrainOutcome.Refused(DrainRefusal.ProxyUnavailable, $"The Proxy refused: {refused.Problem.Detail ?? refused.Problem.Title}");
            }
        }

        wake();
        return state is null ? NotDraining(order) : new DrainOutcome.Done([.. state.Targets.Where(t => draining.Any(d => IsSame(d, t)))]);
    }

    private DrainRequest RequestFor(DrainOrder order, TargetTraffic target) => new()
    {
        Installation = settings.Installation,
        ContainerId = target.Target.ContainerId,
        End = order.End,
        DrainTimeout = LeftUntil(target.Drain?.PlainDeadline, order.Extend),
        StreamDrainTimeout = LeftUntil(target.Drain?.StreamDeadline, order.Extend),
    };

    private TimeSpan? LeftUntil(DateTimeOffset? deadline, TimeSpan? more)
    {
        if (more is not { } extension)
        {
            return null;
        }

        var left = deadline - time.GetUtcNow() is { } positive && positive > TimeSpan.Zero ? positive : TimeSpan.Zero;
        return left + extension < Longest ? left + extension : Longest;
    }

    private static List<TargetTraffic> MeantBy(DrainOrder order, ApplicationState? state) =>
    [
        .. (state?.Targets ?? []).Where(t => t.Drain is not null && t.Deadline is not null && t.Target.Release.StartsWith(order.Hash ?? "", StringComparison.Ordinal))
            .DistinctBy(t => t.Target.ContainerId),
    ];

    private static bool IsSame(TargetTraffic one, TargetTraffic other) => one.Target.ContainerId == other.Target.ContainerId && one.DrainingSince == other.DrainingSince;

    private static DrainOutcome.Refused NotDraining(DrainOrder order) => new(
        DrainRefusal.NotDraining, order.Hash is { } hash ? $"Nothing runs any more on a replaced release {hash}; nothing was changed." : "Nothing runs any more on a replaced release; nothing was changed.");
}
