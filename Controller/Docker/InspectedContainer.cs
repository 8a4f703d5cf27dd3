using System.Globalization;
using global::Docker.DotNet.Models;

namespace Wunderproxy.Controller.Docker;

/// <summary>Takes from the engine's answer to an inspect what the Controller decides upon.</summary>
internal static class InspectedContainer
{
    public static EngineContainer ToEngineContainer(this ContainerInspectResponse seen)
    {
        var state = seen.State ?? throw new EngineException(EngineFault.EngineError, $"Docker Engine told no state of container '{seen.ID}'.");
        var status = StatusOf(state.Status);
        return new EngineContainer
        {
            Id = seen.ID,
            Name = (seen.Name ?? "").TrimStart('/'),
            ImageId = seen.Image ?? "",
            Status = status,
            Labels = Copy(seen.Config?.Labels),
            CreatedAt = new DateTimeOffset(DateTime.SpecifyKind(seen.Created, DateTimeKind.Utc)),
            StartedAt = Instant(state.StartedAt),
            FinishedAt = Instant(state.FinishedAt),
            ExitCode = HasEnded(status, state) ? (int)state.ExitCode : null,
            OomKilled = state.OOMKilled,
            HasMemoryLimit = seen.HostConfig?.Memory > 0,
            Error = EngineFaults.Clean(state.Error) is { Length: > 0 } error ? error : null,
            Pid = state.Pid > 0 ? (int)state.Pid : null,
            Addresses = status is ContainerStatus.Running ? AddressesOf(seen.NetworkSettings) : [],
            PublishedPorts = status is ContainerStatus.Running ? PortsOf(seen.NetworkSettings) : [],
            RestartPolicy = PolicyOf(seen.HostConfig?.RestartPolicy),
        };
    }

    private static ContainerStatus StatusOf(string? status) => status switch
    {
        "created" => ContainerStatus.Created,
        "running" => ContainerStatus.Running,
        "paused" => ContainerStatus.Paused,
        "restarting" => ContainerStatus.Restarting,
        "exited" => ContainerStatus.Exited,
        "removing" => ContainerStatus.Removing,
        "dead" => ContainerStatus.Dead,
        _ => throw new EngineException(EngineFault.EngineError, $"Docker Engine told a container state that isn't known here: '{status}'."),
    };

    /// <summary>A start that failed leaves a container <c>created</c>, with an exit code.</summary>
    private static bool HasEnded(ContainerStatus status, State state) =>
        status is ContainerStatus.Exited or ContainerStatus.Dead || (status is ContainerStatus.Created && state.ExitCode != 0);

    /// <summary><c>2026-03-01T10:20:30.123456789Z</c>; what never happened is told as year 1.</summary>
    private static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at.Year > 1 ? at : null;

    private static Dictionary<string, string> AddressesOf(NetworkSettings? settings) =>
        (settings?.Networks ?? new Dictionary<string, EndpointSettings>())
            .Where(network => !string.IsNullOrEmpty(network.Value?.IPAddress))
            .ToDictionary(network => network.Key, network => network.Value.IPAddress, StringComparer.Ordinal);

    private static Dictionary<string, int> PortsOf(NetworkSettings? settings)
    {
        var ports = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (containerPort, bindings) in settings?.Ports ?? new Dictionary<string, IList<PortBinding>>())
        {
            var local = bindings?.FirstOrDefault(binding => binding.HostIP is "127.0.0.1" or "0.0.0.0");
            if (int.TryParse(local?.HostPort, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                ports[containerPort] = port;
            }
        }

        return ports;
    }

    private static string PolicyOf(RestartPolicy? policy) => policy?.Name switch
    {
        RestartPolicyKind.Always => "always",
        RestartPolicyKind.OnFailure => "on-failure",
        RestartPolicyKind.UnlessStopped => "unless-stopped",
        _ => "no",
    };

    private static Dictionary<string, string> Copy(IDictionary<string, string>? labels) =>
        labels is null ? [] : new Dictionary<string, string>(labels, StringComparer.Ordinal);
}
