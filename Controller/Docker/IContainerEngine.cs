using System.Text.Json.Nodes;

namespace Wunderproxy.Controller.Docker;

/// <summary>The part of the Docker Engine API that the Controller needs. Nothing above it sees HTTP or JSON of the engine's answers.</summary>
/// <remarks>
/// Every call has a deadline of its own; the token ends only the wait, as an <see cref="OperationCanceledException"/>. Every failure is an <see cref="EngineException"/>.
/// Any call may fail as <see cref="EngineFault.Unreachable"/> (nothing happened) or <see cref="EngineFault.Ambiguous"/> (it may have happened, or may still).
/// </remarks>
internal interface IContainerEngine
{
    /// <summary>Version, start and settings of the engine.</summary>
    /// <remarks>Source: <c>GET /version</c>, <c>GET /info</c>.</remarks>
    Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken);

    /// <summary>Every container, in any state, that carries all the labels, fully inspected; an empty value stands for any. One that vanishes meanwhile is left out.</summary>
    /// <remarks>Source: <c>GET /containers/json?all=true&amp;filters=…</c>, then <c>GET /containers/{id}/json</c> of each.</remarks>
    Task<IReadOnlyList<EngineContainer>> ListContainersAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>The labels of every container, in any state, that carries all these labels; an empty value stands for any.</summary>
    /// <remarks>Source: <c>GET /containers/json?all=true&amp;filters=…</c>.</remarks>
    Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ListLabelsAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);

    /// <summary>One container by id or name.</summary>
    /// <returns><see langword="null"/> if there is none (404).</returns>
    Task<EngineContainer?> InspectContainerAsync(string idOrName, CancellationToken cancellationToken);

    /// <summary>Creates a container from the engine's own objects, unknown options included.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="body">Body of the call: the members of ContainerConfig, and HostConfig and NetworkingConfig.</param>
    /// <param name="cancellationToken">Ends the wait; the container may exist all the same.</param>
    /// <returns>Its id.</returns>
    /// <exception cref="EngineException"><see cref="EngineFault.Conflict"/>: the name is taken. <see cref="EngineFault.NotFound"/>: no such image. <see cref="EngineFault.BadRequest"/>: bad option.</exception>
    /// <remarks>Source: <c>POST /containers/create?name=</c>.</remarks>
    Task<string> CreateContainerAsync(string name, JsonObject body, CancellationToken cancellationToken);

    /// <summary>Starts a container; one that runs already is fine (304).</summary>
    /// <param name="id">Container id.</param>
    /// <param name="cancellationToken">Ends the wait; the container may start all the same.</param>
    /// <exception cref="EngineException"><see cref="EngineFault.BadRequest"/>: its configuration makes a start impossible, such as a command that doesn't exist. <see cref="EngineFault.PortTaken"/>,
    /// <see cref="EngineFault.AddressTaken"/>: what it wants is another's. The container stays <see cref="ContainerStatus.Created"/>.</exception>
    Task StartContainerAsync(string id, CancellationToken cancellationToken);

    /// <summary>Stops a container: its stop signal, and SIGKILL once <paramref name="grace"/> is over. Stopped or absent is fine (304, 404).</summary>
    /// <param name="id">Container id.</param>
    /// <param name="grace">Whole seconds, rounded up.</param>
    /// <param name="cancellationToken">Ends the wait only; the engine still stops the container.</param>
    Task StopContainerAsync(string id, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Sends a signal; stopped or absent is fine.</summary>
    Task KillContainerAsync(string id, string signal, CancellationToken cancellationToken);

    /// <summary>Sets the restart policy to <c>no</c>, so that the engine doesn't restart what the Controller supervises.</summary>
    /// <remarks>Source: <c>POST /containers/{id}/update</c>.</remarks>
    Task DisableRestartPolicyAsync(string id, CancellationToken cancellationToken);

    /// <summary>Removes a stopped container with its anonymous volumes. Absent is fine; a running one is refused by the engine.</summary>
    Task RemoveContainerAsync(string id, CancellationToken cancellationToken);

    /// <summary>The last lines of a container's output, stdout and stderr in order, at most 4 KiB a line.</summary>
    /// <returns>Empty where the log driver keeps none.</returns>
    Task<IReadOnlyList<string>> GetLogTailAsync(string id, int lines, CancellationToken cancellationToken);

    /// <summary>One image by reference, digest or id.</summary>
    /// <returns><see langword="null"/> if it isn't there.</returns>
    Task<EngineImage?> InspectImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Pulls an image, with the credentials of Docker's own configuration file.</summary>
    /// <param name="reference">With tag or digest; without either, <c>latest</c>.</param>
    /// <param name="progress">Bytes as they come; may be null.</param>
    /// <param name="cancellationToken">Cancels the pull.</param>
    /// <exception cref="EngineException">Errors inside the 200 stream included. <see cref="EngineFault.NotFound"/>: no such image. <see cref="EngineFault.Unauthorized"/>: the registry refused the credentials.
    /// <see cref="EngineFault.RegistryUnavailable"/>: not reached, no progress for 2 minutes, or a broken layer. <see cref="EngineFault.NoSpace"/>: disk full.</exception>
    /// <remarks>Source: <c>POST /images/create?fromImage=</c>.</remarks>
    Task PullImageAsync(string reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken);

    /// <summary>Loads an image archive as <c>docker save</c> writes it, plain or gzip, streamed.</summary>
    /// <param name="archive">Read to its end, and closed.</param>
    /// <param name="cancellationToken">Cancels the load.</param>
    /// <returns>Ids and references of the images that it contained.</returns>
    /// <exception cref="EngineException"><see cref="EngineFault.BadRequest"/>: this is no image archive. <see cref="EngineFault.NoSpace"/>: disk full.</exception>
    /// <remarks>Source: <c>POST /images/load</c>.</remarks>
    Task<IReadOnlyList<string>> LoadImageAsync(Stream archive, CancellationToken cancellationToken);

    /// <summary>Gives an image one more reference.</summary>
    Task TagImageAsync(string image, string reference, CancellationToken cancellationToken);

    /// <summary>Removes one reference of an image, and the image when it was the last one; never by force. Absent or in use is fine.</summary>
    /// <returns>Whether it is gone.</returns>
    Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Makes sure that the bridge network exists with this subnet and range for dynamic addresses.</summary>
    /// <returns>The network as it is; an existing one of ours is taken as it is.</returns>
    /// <exception cref="EngineException"><see cref="EngineFault.Conflict"/>: the subnet is in use by another network, or the network of this name hasn't our labels.</exception>
    Task<EngineNetwork> EnsureNetworkAsync(NetworkSpec network, CancellationToken cancellationToken);

    /// <summary>Events of the containers that carry all the labels, from now on. Yields <see cref="EngineEvent.Connected"/> first; ends when the stream does.</summary>
    /// <exception cref="EngineException">The engine isn't reached, or the stream broke.</exception>
    IAsyncEnumerable<EngineEvent> WatchAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken);
}

/// <summary>The engine itself.</summary>
/// <param name="Version">Such as 20.10.24.</param>
/// <param name="ApiVersion">The version that is spoken, the smaller of both sides' newest.</param>
/// <param name="LiveRestore">Whether containers survive a restart of the engine.</param>
/// <param name="Driver">Storage driver.</param>
internal sealed record EngineInfo(string Version, string ApiVersion, bool LiveRestore, string Driver);

/// <summary>A container as the engine knows it.</summary>
internal sealed record EngineContainer
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>Id of its image.</summary>
    public required string ImageId { get; init; }

    public required ContainerStatus Status { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Of the latest run; absent where it never ran.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Of the latest run. The engine may tell an instant before <see cref="StartedAt"/> where a container ended at once.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    public int? ExitCode { get; init; }

    /// <summary>Whether the kernel killed it for want of memory, as far as the engine knows: it is told of that and of the end in any order, and forgets it where the end came first.</summary>
    public bool OomKilled { get; init; }

    /// <summary>Whether <c>HostConfig.Memory</c> is set.</summary>
    public bool HasMemoryLimit { get; init; }

    /// <summary>The engine's own error of the latest start.</summary>
    public string? Error { get; init; }

    /// <summary>Process id on the host while running.</summary>
    public int? Pid { get; init; }

    /// <summary>Address in each network; only of a running container, for a stopped one's may be another's by now.</summary>
    public IReadOnlyDictionary<string, string> Addresses { get; init; } = new Dictionary<string, string>();

    /// <summary>Host port that 127.0.0.1 reaches (bound there or on 0.0.0.0) for each published container port, such as <c>9292/tcp</c>; only of a running container.</summary>
    public IReadOnlyDictionary<string, int> PublishedPorts { get; init; } = new Dictionary<string, int>();

    /// <summary>Restart policy, <c>no</c> where none.</summary>
    public string RestartPolicy { get; init; } = "no";
}

/// <summary>Docker's own states. <c>restarting</c> is another's doing, for the restart policy is <c>no</c>.</summary>
internal enum ContainerStatus
{
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Removing,
    Dead,
}

/// <summary>An image as the engine knows it.</summary>
/// <param name="Id">Content hash, <c>sha256:…</c>.</param>
/// <param name="Tags">References with a tag.</param>
/// <param name="Digests">References with a registry digest.</param>
/// <param name="ExposedPorts">Such as <c>9292/tcp</c>.</param>
internal sealed record EngineImage(string Id, IReadOnlyList<string> Tags, IReadOnlyList<string> Digests, IReadOnlyList<string> ExposedPorts);

/// <summary>How far a pull is.</summary>
/// <param name="Status">The engine's word for what it does.</param>
/// <param name="Bytes">Downloaded, all layers.</param>
/// <param name="TotalBytes">To download, as far as known.</param>
internal sealed record PullProgress(string Status, long Bytes, long TotalBytes);

/// <summary>The bridge network for releases.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Subnet">Such as 172.30.0.0/16.</param>
/// <param name="DynamicRange">Part of the subnet from which the engine itself takes addresses; fixed ones lie outside.</param>
/// <param name="Labels">Labels that mark it as ours.</param>
internal sealed record NetworkSpec(string Name, string Subnet, string DynamicRange, IReadOnlyDictionary<string, string> Labels);

/// <summary>The network as it is.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Subnet">Its subnet.</param>
/// <param name="DynamicRange">Absent: the engine deals out addresses of the whole subnet.</param>
/// <param name="UsedAddresses">Addresses of running containers and the gateway.</param>
internal sealed record EngineNetwork(string Id, string Subnet, string? DynamicRange, IReadOnlyList<string> UsedAddresses);

/// <summary>Something happened to a container; a hint to look.</summary>
/// <param name="Action">The engine's action, such as <c>start</c>, <c>die</c>, <c>oom</c>, <c>destroy</c>; <c>connected</c> for the first one.</param>
/// <param name="ContainerId">Empty for <c>connected</c>.</param>
internal sealed record EngineEvent(string Action, string ContainerId)
{
    /// <summary>The stream is open: whatever happens from now on is seen.</summary>
    public static EngineEvent Connected { get; } = new("connected", "");
}
