namespace Wunderproxy.Controller.Observing;

/// <summary>What the probes of one run of a container say.</summary>
internal sealed record Verdict
{
    public static Verdict Unverified { get; } = new();

    public Readiness State { get; init; } = Readiness.Unverified;

    /// <summary>Whether this run was ready at any time.</summary>
    public bool EverReady { get; init; }

    /// <summary>How many probes it took until this run was ready, or has taken so far.</summary>
    public int Probes { get; init; }

    /// <summary>The kind of the latest failure; absent where the latest probe succeeded or none ended.</summary>
    public ProbeFailure? LastFailure { get; init; }

    /// <summary>The latest answer in words, such as <c>503 Service Unavailable 'starting'</c>.</summary>
    public string? LastAnswer { get; init; }

    /// <summary>Ports that the container listens on, looked up while its own port refused connections.</summary>
    public ValueList<int> ListeningPorts { get; init; } = [];
}

/// <summary>Whether a container may receive requests.</summary>
internal enum Readiness
{
    /// <summary>Not enough successful probes yet.</summary>
    Unverified,

    Ready,

    /// <summary>Was ready, then failed as often in a row as its configuration allows.</summary>
    Unready,
}

/// <summary>How a probe failed.</summary>
internal enum ProbeFailure
{
    /// <summary>Nothing listens on the port.</summary>
    Refused,

    /// <summary>No answer in time, or the connection broke.</summary>
    NoAnswer,

    /// <summary>An answer with an unexpected status or body.</summary>
    Unexpected,
}
