using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>
/// A Docker Engine in memory that passes the same conformance suite as the real one. It does what it is asked, at once and without fault;
/// latencies and lost answers are the way's business, see <see cref="UnreliableEngine"/>.
/// </summary>
/// <param name="time">Its clock.</param>
internal sealed partial class SimulatedEngine(TimeProvider time) : IContainerEngine
{
    private const int FirstPid = 10_000_000;

    private readonly Lock _gate = new();
    private readonly List<SimulatedContainer> _containers = [];
    private readonly List<Subscriber> _subscribers = [];
    private int _ids;

    /// <summary>Every container, ours or not.</summary>
    public IReadOnlyList<SimulatedContainer> Containers
    {
        get
        {
            lock (_gate)
                return [.. _containers];
        }
    }

    /// <summary>Called before a call changes a container: what it does, and to which.</summary>
    public Action<string, SimulatedContainer> Changing { get; set; } = (_, _) => { };

    /// <summary>Called after something happened to a container.</summary>
    public Action<string, SimulatedContainer> Happened { get; set; } = (_, _) => { };

    public Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken) => Task.FromResult(new EngineInfo("20.10.24", "1.41", LiveRestore: true, "overlay2"));

    public Task<IReadOnlyList<EngineContainer>> ListContainersAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult<IReadOnlyList<EngineContainer>>([.. _containers.Where(c => c.Carries(labels)).Select(Inspect)]);
    }

    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ListLabelsAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        [.. (await ListContainersAsync(labels, cancellationToken)).Select(container => container.Labels)];

    public Task<EngineContainer?> InspectContainerAsync(string idOrName, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult(Find(idOrName) is { } container ? Inspect(container) : null);
    }

    public Task<string> CreateContainerAsync(string name, JsonObject body, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            RequireTypes(body);
            if (Find(name) is not null)
                throw new EngineException(EngineFault.Conflict, $"Create of container '{name}' failed: the name is already in use.");
            var image = FindImage(body["Image"]!.GetValue<string>()) ?? throw new EngineException(EngineFault.NotFound, $"Create of container '{name}' failed: no such image: {body["Image"]}.");
            var container = new SimulatedContainer
            {
                Id = NextId(),
                Name = name,
                ImageId = image.Id,
                Labels = (body["Labels"] as JsonObject ?? []).ToDictionary(l => l.Key, l => l.Value!.GetValue<string>(), StringComparer.Ordinal),
                Command = [.. (body["Cmd"] as JsonArray ?? []).Select(c => c!.GetValue<string>())],
                CreatedAt = time.GetUtcNow(),
                Endpoint = SimulatedContainer.EndpointOf(body),
                PublishedPorts = SimulatedContainer.PortsOf(body),
                RestartPolicy = body["HostConfig"]?["RestartPolicy"]?["Name"]?.GetValue<string>() ?? "no",
            };
            Changing("create", container);
            _containers.Add(container);
            Tell("create", container);
            return Task.FromResult(container.Id);
        }
    }

    public Task StartContainerAsync(string id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var container = Find(id) ?? throw new EngineException(EngineFault.NotFound, $"Start of container '{id}' failed: no such container.");
            if (container.IsRunning)
                return Task.CompletedTask;
            Changing("start", container);
            if (SimulatedProgram.Of(container.Command) is not { } program)
            {
                (container.ExitCode, container.Error) = (127, $"exec: \"{string.Join(' ', container.Command)}\": no such file or directory");
                throw new EngineException(EngineFault.BadRequest, $"Start of container '{id}' failed: {container.Error}.");
            }

            if (_containers.Any(c => c.IsRunning && c.PublishedPorts.Values.Intersect(container.PublishedPorts.Values).Any()))
                throw new EngineException(EngineFault.PortTaken, $"Start of container '{id}' failed: a port is already allocated.");
            container.Address = AddressFor(container);
            Begin(container, program);
            return Task.CompletedTask;
        }
    }

    public Task StopContainerAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        SimulatedContainer container;
        lock (_gate)
        {
            if (Find(id) is not { IsRunning: true } running)
                return Task.CompletedTask;
            container = running;
            Changing("stop", container);
            container.EndedBy = EndedBy.Call;
            var patience = TimeSpan.FromSeconds(Math.Ceiling(grace.TotalSeconds));
            var isDeaf = container.Program!.StopsAfter is not { } after || after > patience || container.Status == ContainerStatus.Paused;
            After(isDeaf ? patience : container.Program!.StopsAfter!.Value, container, () => End(container, isDeaf ? 137 : container.Program!.ExitCode));
        }

        return container.Ended.Task.WaitAsync(cancellationToken);
    }

    public Task KillContainerAsync(string id, string signal, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (Find(id) is not { IsRunning: true } container)
                return Task.CompletedTask;
            Changing("kill", container);
            container.EndedBy = EndedBy.Call;
            End(container, 137);
            return Task.CompletedTask;
        }
    }

    public Task DisableRestartPolicyAsync(string id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (Find(id) is { } container)
                container.RestartPolicy = "no";
            return Task.CompletedTask;
        }
    }

    public Task RemoveContainerAsync(string id, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (Find(id) is not { } container)
                return Task.CompletedTask;
            if (container.IsRunning)
                throw new EngineException(EngineFault.Conflict, $"Removal of container '{id}' failed: you cannot remove a running container.");
            Changing("remove", container);
            _containers.Remove(container);
            Tell("destroy", container);
            return Task.CompletedTask;
        }
    }

    public Task<IReadOnlyList<string>> GetLogTailAsync(string id, int lines, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var container = Find(id) ?? throw new EngineException(EngineFault.NotFound, $"Log of container '{id}' failed: no such container.");
            Print(container);
            return Task.FromResult<IReadOnlyList<string>>([.. container.Log.TakeLast(lines)]);
        }
    }

    public async IAsyncEnumerable<EngineEvent> WatchAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var subscriber = new Subscriber(labels, Channel.CreateUnbounded<EngineEvent>());
        lock (_gate)
            _subscribers.Add(subscriber);
        try
        {
            yield return EngineEvent.Connected;
            while (await subscriber.Events.Reader.WaitToReadAsync(cancellationToken))
            {
                while (subscriber.Events.Reader.TryRead(out var happened))
                    yield return happened;
            }
        }
        finally
        {
            lock (_gate)
                _subscribers.Remove(subscriber);
        }
    }

    /// <summary>The container that has an address now.</summary>
    public SimulatedContainer? At(string address)
    {
        lock (_gate)
            return _containers.FirstOrDefault(c => c.IsRunning && c.Address == address);
    }

    /// <summary>A container ends, by its own doing or by a fault.</summary>
    public void Exit(SimulatedContainer container, int code, EndedBy by, bool outOfMemory = false)
    {
        lock (_gate)
        {
            if (!container.IsRunning)
                return;
            container.EndedBy = container.EndedBy == EndedBy.Call ? EndedBy.Call : by;
            container.OomKilled = outOfMemory;
            End(container, code);
        }
    }

    /// <summary>Somebody removes a container by force.</summary>
    public void RemoveByForce(SimulatedContainer container)
    {
        Exit(container, 137, EndedBy.Fault);
        lock (_gate)
        {
            if (_containers.Remove(container))
                Tell("destroy", container);
        }
    }

    /// <summary>Somebody pauses a container, or lets it go on.</summary>
    public void Pause(SimulatedContainer container, bool isPaused)
    {
        lock (_gate)
        {
            if (!container.IsRunning)
                return;
            container.Status = isPaused ? ContainerStatus.Paused : ContainerStatus.Running;
            Tell(isPaused ? "pause" : "unpause", container);
        }
    }

    /// <summary>The engine goes down: its event streams end, and its containers too, unless it lets them live.</summary>
    public void GoDown(bool containersLive)
    {
        lock (_gate)
        {
            foreach (var subscriber in _subscribers)
                subscriber.Events.Writer.TryComplete();
            _subscribers.Clear();
            if (containersLive)
                return;
            foreach (var container in _containers.Where(c => c.IsRunning))
            {
                container.EndedBy = EndedBy.Fault;
                End(container, 255);
            }
        }
    }

    private static void RequireTypes(JsonObject body)
    {
        if (body["HostConfig"]?["Memory"] is JsonValue memory && memory.GetValueKind() != JsonValueKind.Number)
            throw new EngineException(EngineFault.BadRequest, "Create of a container failed: json: cannot unmarshal string into Go struct field HostConfig.Memory of type int64.");
    }

    private SimulatedContainer? Find(string idOrName) => _containers.FirstOrDefault(c => c.Id == idOrName || c.Name == idOrName);

    private EngineContainer Inspect(SimulatedContainer container) => container.Inspect(FirstPid + container.Run);

    private void Begin(SimulatedContainer container, SimulatedProgram program)
    {
        container.Run++;
        container.Program = program;
        container.Status = ContainerStatus.Running;
        container.StartedAt = time.GetUtcNow();
        container.StartedTimestamp = time.GetTimestamp();
        container.FinishedAt = null;
        (container.ExitCode, container.Error, container.OomKilled, container.EndedBy) = (null, null, false, EndedBy.Itself);
        container.Ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Tell("start", container);
        container.Unprinted = new Queue<(TimeSpan, string)>(program.Output);
        if (program.TakesAllMemory)
            After(TimeSpan.FromMilliseconds(20), container, () => EndWithoutMemory(container));
        else if (program.EndsAfter is { } end)
            After(end, container, () => End(container, program.ExitCode));
    }

    /// <summary>Writes what the run should have printed by now.</summary>
    private void Print(SimulatedContainer container)
    {
        var elapsed = time.GetElapsedTime(container.StartedTimestamp);
        while (container.Unprinted.TryPeek(out var next) && next.After <= elapsed)
            container.Log.Add(container.Unprinted.Dequeue().Line);
    }

    private void EndWithoutMemory(SimulatedContainer container)
    {
        container.OomKilled = true;
        Tell("oom", container);
        End(container, 137);
    }

    private void End(SimulatedContainer container, int code)
    {
        Print(container);
        container.Status = ContainerStatus.Exited;
        container.FinishedAt = time.GetUtcNow();
        container.ExitCode = code;
        container.IsSick = false;
        Tell("die", container);
        container.Ended.TrySetResult();
    }

    /// <summary>Does something later in the same run of a container; nothing once that run is over.</summary>
    private void After(TimeSpan delay, SimulatedContainer container, Action act)
    {
        var run = container.Run;
        if (delay == TimeSpan.Zero && !time.Equals(TimeProvider.System))
        {
            act();
            return;
        }

        ITimer? timer = null;
        timer = time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                lock (_gate)
                {
                    if (container.Run == run && container.IsRunning)
                        act();
                }
            },
            null,
            delay,
            Timeout.InfiniteTimeSpan);
    }

    private void Tell(string action, SimulatedContainer container)
    {
        Happened(action, container);
        foreach (var subscriber in _subscribers.Where(s => container.Carries(s.Labels)))
            subscriber.Events.Writer.TryWrite(new EngineEvent(action, container.Id));
    }

    private string NextId() => (++_ids).ToString("x", CultureInfo.InvariantCulture).PadLeft(64, 'c');

    private sealed record Subscriber(IReadOnlyDictionary<string, string> Labels, Channel<EngineEvent> Events);
}
