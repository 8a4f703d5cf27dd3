using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>What the Proxy knows of the application, all of it on its disk; it decides as <c>ApplicationRegistry</c> does.</summary>
/// <param name="Fence">The newest seen.</param>
/// <param name="Snapshot">What it serves by; absent: it knows a fence only.</param>
internal sealed record ModelProxy(long Fence, ApplicationSnapshot? Snapshot)
{
    public Target? Target => Snapshot?.Target;

    public Target? Standby => Snapshot?.Standby?.Target;

    public long Generation => Snapshot?.Generation ?? 0;

    /// <summary>The Proxy after a snapshot, or itself where it refuses it.</summary>
    /// <param name="proxy">The Proxy before; absent: it has never heard of the application.</param>
    /// <param name="snapshot">What is sent.</param>
    /// <param name="isHealthy">Its own probe of the target.</param>
    /// <param name="refusal">Why it refuses; absent: it serves by the snapshot.</param>
    public static ModelProxy? Apply(ModelProxy? proxy, ApplicationSnapshot snapshot, Func<Target, bool> isHealthy, out string? refusal)
    {
        refusal = RefusalOf(proxy, snapshot, isHealthy);
        return refusal is null && snapshot.Generation != proxy?.Snapshot?.Generation
            ? new ModelProxy(Math.Max(proxy?.Fence ?? snapshot.Fence, snapshot.Fence), snapshot)
            : proxy;
    }

    /// <summary>The Proxy after it was asked to raise the fence, or itself where it refuses.</summary>
    /// <param name="isInUse">Whether requests run on the container that must be idle.</param>
    public static ModelProxy? Raise(ModelProxy? proxy, long fence, string? notTarget, bool isInUse, out string? refusal)
    {
        refusal = proxy?.Target is { } target && target.ContainerId == notTarget ? "the container is the target"
            : proxy?.Standby is { } standby && standby.ContainerId == notTarget ? "the container stands by"
            : fence <= proxy?.Fence ? $"fence {fence} is not newer than {proxy.Fence}"
            : isInUse ? "the container is in use"
            : null;
        return refusal is null ? new ModelProxy(fence, proxy?.Snapshot) : proxy;
    }

    /// <summary>Whether a snapshot would change the target.</summary>
    public static bool MovesTraffic(ModelProxy? proxy, ApplicationSnapshot snapshot) =>
        proxy?.Target is { } current ? !current.IsSameAs(snapshot.Target) : snapshot.Target is not null;

    /// <summary>Whether a snapshot would send requests to another release that stands by.</summary>
    public static bool Shows(ModelProxy? proxy, ApplicationSnapshot snapshot) =>
        snapshot.Standby is { Target: var standby } && !standby.IsSameAs(proxy?.Target) && !standby.IsSameAs(proxy?.Standby);

    /// <summary>Whether requests go to a container.</summary>
    public bool SendsTo(string containerId) => Target?.ContainerId == containerId || Standby?.ContainerId == containerId;

    private static string? RefusalOf(ModelProxy? proxy, ApplicationSnapshot snapshot, Func<Target, bool> isHealthy)
    {
        if (proxy?.Snapshot is { } served && (snapshot.Generation < served.Generation || (snapshot.Generation == served.Generation && snapshot != served)))
            return $"generation {snapshot.Generation} is not newer than {served.Generation}";
        var (movesTraffic, shows) = (MovesTraffic(proxy, snapshot), Shows(proxy, snapshot));
        if (proxy?.Snapshot?.Generation == snapshot.Generation || !(movesTraffic || shows))
            return null;
        if (snapshot.Fence <= proxy?.Fence)
            return $"fence {snapshot.Fence} is not newer than {proxy.Fence}";
        return (movesTraffic && snapshot.Target is { } target && !isHealthy(target)) || (shows && !isHealthy(snapshot.Standby!.Target)) ? "it found the target unhealthy" : null;
    }
}
