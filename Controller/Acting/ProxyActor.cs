using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Acting;

/// <summary>Carries out what the plan decides for the Proxy.</summary>
internal sealed class ProxyActor(
    IProxyControl proxy, ConfigurationCache configurations, ErrorPageCache errorPages, MaintenancePages maintenancePages, Pipelines pipelines, ProxyActorSettings settings)
{
    /// <summary>Sends a snapshot, with the pages that its release offers. Where traffic moves, the page for maintenance is fetched from the release that serves then.</summary>
    public async Task<EffectResult> RouteAsync(Effect.Route effect, CancellationToken cancellationToken)
    {
        var result = await ApplyAsync(effect.Snapshot, cancellationToken);
        if (result.Outcome == Outcome.Done && effect.Container is not null && effect.Snapshot.Target is { } target)
            await maintenancePages.FetchAsync(target.Address, configurations.Find(target.Release), cancellationToken);
        return result;
    }

    /// <summary>Sends a snapshot with another release that stands by.</summary>
    public Task<EffectResult> ShowAsync(Effect.Show effect, CancellationToken cancellationToken) => ApplyAsync(effect.Snapshot, cancellationToken);

    private async Task<EffectResult> ApplyAsync(ApplicationSnapshot offered, CancellationToken cancellationToken)
    {
        var snapshot = await errorPages.CompleteAsync(offered, cancellationToken);
        return await Pipelines.ExecuteAsync(pipelines.Proxy, token => proxy.ApplyAsync(snapshot, token), cancellationToken) is ApplyOutcome.Refused refused
            ? EffectResult.Of(refused.Problem)
            : EffectResult.Done;
    }

    /// <summary>Raises the fence.</summary>
    /// <param name="containerId">A container that must not be the target.</param>
    /// <param name="fence">The fence.</param>
    /// <param name="mustBeIdle">Whether it is refused while requests run there.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task<EffectResult> FenceAsync(string containerId, long fence, bool mustBeIdle, CancellationToken cancellationToken)
    {
        var request = new FenceRequest { Installation = settings.Installation, Fence = fence, NotTarget = containerId, MustBeIdle = mustBeIdle };
        return await Pipelines.ExecuteAsync(pipelines.Proxy, token => proxy.FenceAsync(settings.Application, request, token), cancellationToken) is FenceOutcome.Refused refused
            ? EffectResult.Of(refused.Problem)
            : EffectResult.Done;
    }
}

/// <summary>Whose messages to the Proxy are.</summary>
internal sealed record ProxyActorSettings(string Installation, string Application);
