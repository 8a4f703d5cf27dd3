using System.Text;
using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>A release of the simulated application, and what becomes of it where nothing interferes.</summary>
internal sealed record SimulatedRelease(string Name, ReleaseFate Fate, string Command, string HostConfig = "{}")
{
    public const string Registry = "localhost:8080";

    /// <summary>How long a container may take until it is healthy.</summary>
    public static readonly TimeSpan HealthDeadline = TimeSpan.FromSeconds(8);

    public string Image => $"{Registry}/shop:{Name}";

    public byte[] Document => Encoding.UTF8.GetBytes($$"""
        {
          "Revision": "{{Name}}",
          "ContainerConfig": { "Image": "{{Image}}", "Cmd": [{{string.Join(", ", Command.Split(' ').Select(word => $"\"{word}\""))}}], "ExposedPorts": { "9292/tcp": {} } },
          "HostConfig": {{HostConfig}},
          "HealthCheckPath": "status",
          "HealthCheck": { "Interval": "1s", "Timeout": "1s", "Deadline": "{{Duration.Format(HealthDeadline)}}" },
          "Drain": { "Timeout": "5s", "StreamTimeout": "5s" },
          "Stop": { "Timeout": "3s" },
          "Probation": { "Duration": "6s" },
          "Preview": {{(IsPreviewed ? "{}" : "null")}}
        }
        """);

    public string Hash => ContentHash.Of(Document);

    /// <summary>Whether requests may go to it while it stands by, be it only because its configuration names nobody.</summary>
    public bool IsPreviewed => Name is not ("slow" or "unhealthy");

    /// <summary>All kinds.</summary>
    public static IReadOnlyList<SimulatedRelease> All { get; } =
    [
        new("quick", ReleaseFate.Serves, "/app ready=50ms"),
        new("slow", ReleaseFate.Serves, "/app ready=2s stop=1s"),
        new("deaf", ReleaseFate.Serves, "/app ready=300ms deaf"),
        new("polite", ReleaseFate.Serves, "/app ready=500ms stop=2500ms"),
        new("exits", ReleaseFate.Fails, "/app ready=5s exits=1s"),
        new("unhealthy", ReleaseFate.Fails, "/app ready=100ms unhealthy"),
        new("mute", ReleaseFate.Fails, "/app ready=1h"),
        new("option", ReleaseFate.Fails, "/app", """{ "Memory": "much" }"""),
        new("command", ReleaseFate.Fails, "/nonsense"),
        new("missing", ReleaseFate.Fails, "/app"),
        new("dies", ReleaseFate.ServesAndDies, "/app ready=200ms exits=3s"),
    ];

    public bool IsInRegistry => Name != "missing";
}

/// <summary>What becomes of a release where nothing interferes.</summary>
internal enum ReleaseFate
{
    Serves,

    /// <summary>It never gets healthy.</summary>
    Fails,

    /// <summary>It gets healthy, and ends soon after.</summary>
    ServesAndDies,
}
