using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Observing;

/// <summary>Everything that the plan looks at, besides the journal and the time.</summary>
internal sealed record Observation
{
    /// <summary>Every container of this application and installation, in any state.</summary>
    public required Fact<ValueList<ContainerFact>> Containers { get; init; }

    /// <summary>How the Proxy serves the application; known as <see langword="null"/> where it has never heard of it.</summary>
    public required Fact<ApplicationState?> Proxy { get; init; }

    /// <summary>The newest reading of <c>current.json</c>.</summary>
    public required CurrentDocument Current { get; init; }

    /// <summary>Launch configurations of the releases that the journal names.</summary>
    public required IReadOnlyDictionary<string, Fact<LaunchConfiguration>> Configurations { get; init; }

    /// <summary>
    /// For the releases on their way and the active one: the id of the image that a container is created from, or empty where it isn't here; not looked for
    /// where there is a container.
    /// </summary>
    public required IReadOnlyDictionary<string, Fact<string>> Images { get; init; }

    /// <summary>For the same releases: the reference of the image.</summary>
    public required IReadOnlyDictionary<string, string> References { get; init; }

    /// <summary>References that were removed since the journal was last written.</summary>
    public IReadOnlySet<string> RemovedImages { get; init; } = new HashSet<string>();

    /// <summary>Effects that are under way.</summary>
    public required IReadOnlyList<Effect> Working { get; init; }

    /// <summary>Effects that failed and weren't successful since, by <see cref="Effect.Key"/>.</summary>
    public required IReadOnlyDictionary<string, EffectFailure> Failures { get; init; }

    /// <summary>The page that is shown while maintenance is up; absent: the Proxy's own.</summary>
    public MaintenancePage? MaintenancePage { get; init; }
}

/// <summary>What the store said about <c>current.json</c>.</summary>
internal abstract record CurrentDocument
{
    private CurrentDocument()
    {
    }

    /// <summary>Not read yet, or not readable at present. Changes nothing.</summary>
    internal sealed record Unreadable(string Reason) : CurrentDocument;

    /// <summary>There is none. Changes nothing.</summary>
    internal sealed record Absent : CurrentDocument;

    /// <summary>It can't be used. Changes nothing.</summary>
    internal sealed record Invalid(string ETag, string Reason) : CurrentDocument;

    /// <summary>A valid launch configuration.</summary>
    /// <param name="Hash">SHA-256 of its bytes.</param>
    /// <param name="ETag">The store's ETag.</param>
    internal sealed record Valid(string Hash, string ETag) : CurrentDocument;
}
