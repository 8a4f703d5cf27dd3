using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Acting;

/// <summary>Carries out what the plan decides for containers and images.</summary>
internal sealed class EngineActor(IContainerEngine engine, ConfigurationCache configurations, Pipelines pipelines, EngineActorSettings settings)
{
    private static readonly Dictionary<string, string> EveryAddress = new() { [ContainerLabels.Address] = "" };

    public async Task<EffectResult> CreateAsync(Effect.Create effect, CancellationToken cancellationToken)
    {
        var configuration = configurations.Find(effect.Container.Hash) ?? throw new InvalidOperationException($"The configuration {effect.Container.Hash} has vanished.");
        var mode = await AddressAsync(configuration, effect.Container.Incarnation, cancellationToken);
        var identity = new ContainerIdentity
        {
            Installation = settings.Installation,
            Application = settings.Application,
            Hash = effect.Container.Hash,
            Revision = configuration.Revision,
            Incarnation = effect.Container.Incarnation,
            Port = configuration.ContainerPort,
            Address = mode,
        };
        var body = ContainerBody.Build(configuration, identity, effect.ImageId, settings.Environment);
        try
        {
            await Pipelines.ExecuteAsync(pipelines.Create, token => engine.CreateContainerAsync(effect.Container.Name, body, token), cancellationToken);
            return EffectResult.Done;
        }
        catch (EngineException exception) when (exception.Fault == EngineFault.Conflict)
        {
            return await AdoptAsync(effect, exception, cancellationToken);
        }
    }

    public async Task<EffectResult> StartAsync(Effect.Start effect, CancellationToken cancellationToken)
    {
        await RepeatAsync(token => engine.StartContainerAsync(effect.Id, token), cancellationToken);
        return EffectResult.Done;
    }

    public async Task<EffectResult> StopAsync(Effect.Stop effect, CancellationToken cancellationToken)
    {
        await RepeatAsync(token => engine.StopContainerAsync(effect.Id, effect.Grace, token), cancellationToken);
        return EffectResult.Done;
    }

    public async Task<EffectResult> RemoveAsync(Effect.Remove effect, CancellationToken cancellationToken)
    {
        await RepeatAsync(token => engine.RemoveContainerAsync(effect.Id, token), cancellationToken);
        return EffectResult.Done;
    }

    public async Task<EffectResult> RemoveImageAsync(Effect.RemoveImage effect, CancellationToken cancellationToken)
    {
        var isGone = await Pipelines.ExecuteAsync(pipelines.Repeatable, token => engine.RemoveImageAsync(effect.Reference, token), cancellationToken);
        return isGone ? EffectResult.Done : new EffectResult(Outcome.Transient, $"The image {effect.Reference} is in use by a container");
    }

    // A create whose answer was lost has left our own container behind; its name is deterministic, so it is found again and taken.
    private async Task<EffectResult> AdoptAsync(Effect.Create effect, EngineException conflict, CancellationToken cancellationToken)
    {
        var existing = await engine.InspectContainerAsync(effect.Container.Name, cancellationToken);
        var isOurs = existing is not null && ContainerLabels.Read(existing.Labels) is { } identity
            && identity.Installation == settings.Installation && identity.Application == settings.Application && identity.Hash == effect.Container.Hash;
        return isOurs ? EffectResult.Done : new EffectResult(Outcome.Refused, $"The name {effect.Container.Name} is taken by a container that is not ours: {conflict.Message}");
    }

    private async Task<AddressMode> AddressAsync(LaunchConfiguration configuration, int turn, CancellationToken cancellationToken)
    {
        if ((AddressMode.FixedBy(configuration) ?? settings.FixedMode) is { } mode)
            return mode;
        var listing = engine.ListLabelsAsync(EveryAddress, cancellationToken);
        var ensuring = Pipelines.ExecuteAsync(pipelines.Repeatable, token => engine.EnsureNetworkAsync(settings.Network, token), cancellationToken);
        await Task.WhenAll(listing, ensuring);
        var (containers, network) = (await listing, await ensuring);
        var used = containers.Select(labels => ContainerLabels.Read(labels)?.Address).OfType<AddressMode.Bridge>().Select(b => b.Address)
            .Concat(network.UsedAddresses)
            .ToHashSet(StringComparer.Ordinal);
        return AddressPool.Choose(network.Subnet, network.DynamicRange, used, turn) is { } address
            ? new AddressMode.Bridge(settings.Network.Name, address)
            : throw new EngineException(EngineFault.EngineError, $"The network {settings.Network.Name} has no free address in {network.Subnet}. Remove containers, or give a larger --network-subnet.");
    }

    private Task RepeatAsync(Func<CancellationToken, Task> call, CancellationToken cancellationToken) =>
        Pipelines.ExecuteAsync(pipelines.Repeatable, call, cancellationToken);
}

/// <summary>What the actor takes for granted.</summary>
internal sealed record EngineActorSettings
{
    public required string Installation { get; init; }

    public required string Application { get; init; }

    public required NetworkSpec Network { get; init; }

    /// <summary>Variables of the host that each container gets.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>Set where containers are never reached by the bridge network.</summary>
    public AddressMode? FixedMode { get; init; }
}
