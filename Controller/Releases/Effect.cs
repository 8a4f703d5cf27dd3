using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.Controller.Releases;

/// <summary>One act on the world. At most one is under way for a subject at any time; each is safe to repeat.</summary>
internal abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>What it acts on: a container, an image, or the Proxy.</summary>
    public abstract string Subject { get; }

    /// <summary>Kind and subject: what a failure is remembered by.</summary>
    public string Key => $"{GetType().Name} {Subject}";

    /// <summary>Brings an image here: from the registry, or from the release's artifact where the registry can't serve it.</summary>
    internal sealed record Pull(string Hash, string Reference) : Effect
    {
        public override string Subject => $"image {Reference}";
    }

    /// <summary>Creates a container from an image that is here.</summary>
    internal sealed record Create(ContainerRef Container, string ImageId) : Effect
    {
        public override string Subject => Container.Name;
    }

    /// <summary>Starts a container.</summary>
    internal sealed record Start(ContainerRef Container, string Id) : Effect
    {
        public override string Subject => Container.Name;
    }

    /// <summary>Raises the Proxy's fence, then stops a container. Refused where it is the Proxy's target, or in use though it must be idle.</summary>
    internal sealed record Stop(ContainerRef Container, string Id, TimeSpan Grace, long Fence) : Effect
    {
        /// <summary>Whether it is stopped only where no request runs on it: its time to finish them isn't over.</summary>
        public bool MustBeIdle { get; init; }

        public override string Subject => Container.Name;
    }

    /// <summary>Removes a stopped container.</summary>
    internal sealed record Remove(ContainerRef Container, string Id) : Effect
    {
        public override string Subject => Container.Name;
    }

    /// <summary>Removes an image that the Controller brought here.</summary>
    internal sealed record RemoveImage(string Reference) : Effect
    {
        public override string Subject => $"image {Reference}";
    }

    /// <summary>Sends the Proxy its snapshot; the Proxy itself probes a new target and refuses it where it is not healthy.</summary>
    internal sealed record Route(ContainerRef? Container, ApplicationSnapshot Snapshot) : Effect
    {
        public override string Subject => "proxy";
    }

    /// <summary>Sends the Proxy its snapshot with the target that it has, and with another release that stands by, or none.</summary>
    internal sealed record Show(ApplicationSnapshot Snapshot) : Effect
    {
        public override string Subject => "proxy";
    }

    /// <summary>Raises the Proxy's fence, so that a move of traffic that is still on its way to it can't come true.</summary>
    internal sealed record RaiseFence(ContainerRef Container, string? Id, long Fence) : Effect
    {
        public override string Subject => "proxy";
    }
}

/// <summary>How an effect ended.</summary>
internal enum Outcome
{
    Done,

    /// <summary>A guard didn't allow it: look again, the world is not as it was thought.</summary>
    Refused,

    /// <summary>Worth another try soon.</summary>
    Transient,

    /// <summary>It may have happened, or may still: look first, count nothing, undo nothing.</summary>
    Ambiguous,

    /// <summary>The release's own fault: counts against it.</summary>
    TerminalSpec,

    /// <summary>The host's, the registry's or the store's fault: blocks, but never rejects a release.</summary>
    TerminalEnv,
}

/// <summary>An effect that failed.</summary>
/// <param name="Effect">The effect.</param>
/// <param name="Outcome">Any but <see cref="Outcome.Done"/>.</param>
/// <param name="Class">The kind of failure where it is the release's own fault.</param>
/// <param name="Message">What failed, on what, why.</param>
/// <param name="At">When.</param>
/// <param name="Count">How often in a row.</param>
/// <param name="RetryAt">Not again before.</param>
internal sealed record EffectFailure(Effect Effect, Outcome Outcome, FailureClass? Class, string Message, DateTimeOffset At, int Count, DateTimeOffset RetryAt);
