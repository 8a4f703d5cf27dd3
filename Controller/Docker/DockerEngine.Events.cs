using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Wunderproxy.Controller.Docker;

internal sealed partial class DockerEngine
{
    /// <summary>What changes a container. A health check of the image's own makes three exec events a probe, which nobody needs.</summary>
    private static readonly string[] WatchedActions =
        ["create", "start", "restart", "die", "oom", "kill", "stop", "pause", "unpause", "rename", "update", "destroy"];

    public async IAsyncEnumerable<EngineEvent> WatchAsync(IReadOnlyDictionary<string, string> labels, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var connection = new EngineConnection(endpoint, deadlines.Connect, time);
        await using var stream = await OpenEventsAsync(connection, labels, cancellationToken);
        logger.Watching(endpoint.Address);
        yield return EngineEvent.Connected;

        var messages = JsonSerializer.DeserializeAsyncEnumerable(stream, EngineJson.Default.EventMessage, topLevelValues: true, cancellationToken);
        await using var reader = messages.GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(reader, cancellationToken))
        {
            if (reader.Current is { Action: { Length: > 0 } action, Actor.Id: { Length: > 0 } id })
            {
                yield return new EngineEvent(action, id);
            }
        }
    }

    private async Task<Stream> OpenEventsAsync(EngineConnection connection, IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var filters = new JsonObject
        {
            ["type"] = new JsonArray("container"),
            ["event"] = new JsonArray([.. WatchedActions.Select(action => (JsonNode)action)]),
            ["label"] = new JsonArray([.. labels.Select(label => (JsonNode)$"{label.Key}={label.Value}")]),
        };

        // The connection outlives the call, which ends with the headers. Docker.DotNet would not tell when they are in.
        return await CallAsync("Watch of events", deadlines.Short, connection, async (call, token) =>
        {
            var response = await connection.SendAsync(
                HttpMethod.Get, $"events?filters={Uri.EscapeDataString(filters.ToJsonString())}", body: null, call.ApiVersion, token);
            return await response.Content.ReadAsStreamAsync(token);
        }, cancellationToken);
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<EventMessage?> reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.MoveNextAsync();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFault.Unreachable,
                $"The event stream of Docker Engine at {endpoint.Address} broke: {EngineFaults.Clean(e.GetBaseException().Message)}", e);
        }
    }
}
