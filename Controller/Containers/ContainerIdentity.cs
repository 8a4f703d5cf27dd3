namespace Wunderproxy.Controller.Containers;

/// <summary>What a container is, as its labels say: enough to adopt it without any other memory.</summary>
internal sealed record ContainerIdentity
{
    /// <summary>Which Controller created it.</summary>
    public required string Installation { get; init; }

    /// <summary>Name of the application.</summary>
    public required string Application { get; init; }

    /// <summary>Hash of its launch configuration.</summary>
    public required string Hash { get; init; }

    /// <summary>Name of the release for people.</summary>
    public required string Revision { get; init; }

    /// <summary>How many containers of this release there were before it, plus one.</summary>
    public required int Incarnation { get; init; }

    /// <summary>The container port that receives requests.</summary>
    public required int Port { get; init; }

    /// <summary>How the Proxy reaches it.</summary>
    public required AddressMode Address { get; init; }

    /// <summary>Its deterministic name.</summary>
    public string Name => ContainerName.For(Application, Hash, Incarnation);
}
