using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The simulated engine as one life of the Controller reaches it.</summary>
internal sealed class UnreliableEngine(SimulatedEngine engine, Way way, VirtualThread thread, Life world, TimeProvider worldTime, TimeProvider time, Random random) : IContainerEngine
{
    private static readonly EngineDeadlines Deadlines = new();

    public Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken) =>
        CallAsync("info", () => engine.GetInfoAsync(default), Deadlines.Short, cancellationToken);

    public Task<IReadOnlyList<EngineContainer>> ListContainersAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        CallAsync("list", () => engine.ListContainersAsync(labels, default), Deadlines.Short, cancellationToken);

    public Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ListLabelsAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        CallAsync("list labels", () => engine.ListLabelsAsync(labels, default), Deadlines.Short, cancellationToken);

    public Task<EngineContainer?> InspectContainerAsync(string idOrName, CancellationToken cancellationToken) =>
        CallAsync($"inspect {Short(idOrName)}", () => engine.InspectContainerAsync(idOrName, default), Deadlines.Short, cancellationToken);

    public Task<string> CreateContainerAsync(string name, JsonObject body, CancellationToken cancellationToken) =>
        CallAsync($"create {Short(name)}", () => engine.CreateContainerAsync(name, body, default), Deadlines.Create, cancellationToken);

    public Task StartContainerAsync(string id, CancellationToken cancellationToken) => CallAsync(
        $"start {Short(id)}",
        async () =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50 + random.Next(200)), worldTime);
            await engine.StartContainerAsync(id, default);
        },
        Deadlines.Start,
        cancellationToken);

    public Task StopContainerAsync(string id, TimeSpan grace, CancellationToken cancellationToken) =>
        CallAsync($"stop {Short(id)}", () => engine.StopContainerAsync(id, grace, default), TimeSpan.FromSeconds(Math.Ceiling(grace.TotalSeconds)) + Deadlines.AfterGrace, cancellationToken);

    public Task KillContainerAsync(string id, string signal, CancellationToken cancellationToken) =>
        CallAsync($"kill {Short(id)}", () => engine.KillContainerAsync(id, signal, default), Deadlines.Short, cancellationToken);

    public Task DisableRestartPolicyAsync(string id, CancellationToken cancellationToken) =>
        CallAsync($"update {Short(id)}", () => engine.DisableRestartPolicyAsync(id, default), Deadlines.Short, cancellationToken);

    public Task RemoveContainerAsync(string id, CancellationToken cancellationToken) =>
        CallAsync($"remove {Short(id)}", () => engine.RemoveContainerAsync(id, default), Deadlines.Short, cancellationToken);

    public Task<IReadOnlyList<string>> GetLogTailAsync(string id, int lines, CancellationToken cancellationToken) =>
        CallAsync($"log {Short(id)}", () => engine.GetLogTailAsync(id, lines, default), Deadlines.Short, cancellationToken);

    public Task<EngineImage?> InspectImageAsync(string reference, CancellationToken cancellationToken) =>
        CallAsync($"inspect {reference}", () => engine.InspectImageAsync(reference, default), Deadlines.Short, cancellationToken);

    public Task PullImageAsync(string reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken) => CallAsync(
        $"pull {reference}",
        async () =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(2000)), worldTime);
            await engine.PullImageAsync(reference, null, default);
        },
        Deadlines.PullSilence,
        cancellationToken);

    public Task<IReadOnlyList<string>> LoadImageAsync(Stream archive, CancellationToken cancellationToken) =>
        CallAsync("load", () => engine.LoadImageAsync(archive, default), Deadlines.Load, cancellationToken);

    public Task TagImageAsync(string image, string reference, CancellationToken cancellationToken) =>
        CallAsync($"tag {reference}", () => engine.TagImageAsync(image, reference, default), Deadlines.Short, cancellationToken);

    public Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken) =>
        CallAsync($"remove {reference}", () => engine.RemoveImageAsync(reference, default), Deadlines.Short, cancellationToken);

    public Task<EngineNetwork> EnsureNetworkAsync(NetworkSpec network, CancellationToken cancellationToken) =>
        CallAsync("network", () => engine.EnsureNetworkAsync(network, default), Deadlines.Short, cancellationToken);

    public async IAsyncEnumerable<EngineEvent> WatchAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = Channel.CreateUnbounded<EngineEvent>();
        await CallAsync(
            "watch",
            () =>
            {
                _ = RelayAsync(labels, events.Writer, way.Epoch);
                return Task.CompletedTask;
            },
            Deadlines.Short,
            cancellationToken);
        yield return EngineEvent.Connected;
        while (await events.Reader.WaitToReadAsync(cancellationToken))
        {
            while (events.Reader.TryRead(out var happened))
                yield return happened;
        }

        throw new EngineException(EngineFault.Unreachable, "The event stream of Docker Engine broke.");
    }

    /// <summary>Passes events on: late, and while there is trouble also in another order and twice. None is lost without the end of the stream.</summary>
    private async Task RelayAsync(IReadOnlyDictionary<string, string> labels, ChannelWriter<EngineEvent> events, int epoch)
    {
        await foreach (var happened in engine.WatchAsync(labels, default))
        {
            if (happened == EngineEvent.Connected)
                continue;
            thread.Start(world, () => PassOnAsync(happened, events, epoch));
            if (random.NextDouble() < way.Trouble)
                thread.Start(world, () => PassOnAsync(happened, events, epoch));
            if (random.NextDouble() < way.Trouble * 0.1)
                break;
        }

        events.TryComplete();
    }

    private async Task PassOnAsync(EngineEvent happened, ChannelWriter<EngineEvent> events, int epoch)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * (way.Trouble > 0 ? 500 : 5)), worldTime);
        await way.UntilItWorksAsync();
        if (way.Epoch == epoch)
            events.TryWrite(happened);
    }

    private Task<T> CallAsync<T>(string what, Func<Task<T>> serve, TimeSpan limit, CancellationToken cancellationToken) =>
        way.CallAsync(what, serve, limit, Failure(what), time, cancellationToken);

    private async Task CallAsync(string what, Func<Task> serve, TimeSpan limit, CancellationToken cancellationToken) => await CallAsync(
        what,
        async () =>
        {
            await serve();
            return true;
        },
        limit,
        cancellationToken);

    private static Func<bool, string, Exception> Failure(string what) =>
        (wasSent, why) => new EngineException(wasSent ? EngineFault.Ambiguous : EngineFault.Unreachable, $"{what} failed: {why}.");

    private static string Short(string idOrName) => idOrName.Length == 64 ? idOrName.TrimStart('c') : idOrName.Replace("wunderproxy-shop-", "", StringComparison.Ordinal);
}
