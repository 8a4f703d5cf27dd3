using System.Text.Json.Nodes;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>One container of the simulated engine, with its present or latest run.</summary>
internal sealed class SimulatedContainer
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string ImageId { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required string[] Command { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Name of its network, and the fixed address that it asked for in it.</summary>
    public required (string Network, string? FixedAddress) Endpoint { get; init; }

    /// <summary>Host port that it asked for, by container port.</summary>
    public required IReadOnlyDictionary<string, int> PublishedPorts { get; init; }

    public required string RestartPolicy { get; set; }

    public ContainerStatus Status { get; set; } = ContainerStatus.Created;

    public SimulatedProgram? Program { get; set; }

    /// <summary>Counts the starts; whatever was due in an earlier run doesn't concern a later one.</summary>
    public int Run { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Timestamp of the start of the run.</summary>
    public long StartedTimestamp { get; set; }

    public int? ExitCode { get; set; }

    public bool OomKilled { get; set; }

    public string? Error { get; set; }

    public string? Address { get; set; }

    /// <summary>Set while a fault keeps the application from answering its health check with 200.</summary>
    public bool IsSick { get; set; }

    /// <summary>Who ended the run, or is about to.</summary>
    public EndedBy EndedBy { get; set; }

    /// <summary>What was printed in all runs.</summary>
    public List<string> Log { get; } = [];

    /// <summary>What the present run will still print.</summary>
    public Queue<(TimeSpan After, string Line)> Unprinted { get; set; } = new();

    /// <summary>Ends with the run.</summary>
    public TaskCompletionSource Ended { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsRunning => Status is ContainerStatus.Running or ContainerStatus.Paused;

    public bool Carries(IReadOnlyDictionary<string, string> labels) => labels.All(l => Labels.TryGetValue(l.Key, out var value) && (l.Value.Length == 0 || l.Value == value));

    /// <summary>Whether it answers its health check with 200 now.</summary>
    public bool IsHealthy(TimeProvider time) => Listens(time) && Program!.IsHealthy && !IsSick;

    /// <summary>Whether it takes connections now.</summary>
    public bool Listens(TimeProvider time) =>
        Status == ContainerStatus.Running && Program?.ListensAfter is { } after && time.GetElapsedTime(StartedTimestamp) >= after;

    public EngineContainer Inspect(int pid) => new()
    {
        Id = Id,
        Name = Name,
        ImageId = ImageId,
        Status = Status,
        Labels = Labels,
        CreatedAt = CreatedAt,
        StartedAt = StartedAt,
        FinishedAt = FinishedAt,
        ExitCode = ExitCode,
        OomKilled = OomKilled,
        Error = Error,
        Pid = IsRunning ? pid : null,
        Addresses = Status == ContainerStatus.Running && Address is not null ? new Dictionary<string, string> { [Endpoint.Network] = Address } : new Dictionary<string, string>(),
        PublishedPorts = Status == ContainerStatus.Running ? PublishedPorts : new Dictionary<string, int>(),
        RestartPolicy = RestartPolicy,
    };

    public static (string Network, string? Address) EndpointOf(JsonObject body)
    {
        var mode = body["HostConfig"]?["NetworkMode"]?.GetValue<string>() ?? "bridge";
        return (mode, body["NetworkingConfig"]?["EndpointsConfig"]?[mode]?["IPAMConfig"]?["IPv4Address"]?.GetValue<string>());
    }

    public static IReadOnlyDictionary<string, int> PortsOf(JsonObject body) =>
        (body["HostConfig"]?["PortBindings"] as JsonObject ?? []).ToDictionary(p => p.Key, p => int.Parse(p.Value![0]!["HostPort"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture));
}

/// <summary>Who ended a run of a container.</summary>
internal enum EndedBy
{
    /// <summary>It runs, or ended by itself.</summary>
    Itself,

    /// <summary>A call of the engine's API: stop or kill.</summary>
    Call,

    /// <summary>A fault of the simulation: the engine or the host went down, or somebody else interfered.</summary>
    Fault,
}
