using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using global::Docker.DotNet;
using global::Docker.DotNet.Models;

namespace Wunderproxy.Controller.Docker;

internal sealed partial class DockerEngine
{
    private const int InspectsAtOnce = 8;

    public async Task<IReadOnlyList<EngineContainer>> ListContainersAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken)
    {
        var listed = await ListAsync(labels, cancellationToken);

        // The list tells neither when a run began or ended, nor how.
        var containers = new List<EngineContainer>(listed.Count);
        foreach (var entries in listed.Chunk(InspectsAtOnce))
        {
            var inspected = await Task.WhenAll(entries.Select(entry => InspectContainerAsync(entry.ID, cancellationToken)));
            containers.AddRange(inspected.OfType<EngineContainer>());
        }

        return containers;
    }

    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ListLabelsAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        [.. (await ListAsync(labels, cancellationToken)).Select(entry => entry.Labels.AsReadOnly())];

    public Task<EngineContainer?> InspectContainerAsync(string idOrName, CancellationToken cancellationToken) =>
        CallAsync($"Inspect of container '{idOrName}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                return (await call.Docker.Containers.InspectContainerAsync(PathPart(idOrName), token)).ToEngineContainer();
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
            {
                return null;
            }
        }, cancellationToken);

    public Task<string> CreateContainerAsync(string name, JsonObject body, CancellationToken cancellationToken) =>
        CallAsync($"Create of container '{name}'", deadlines.Create, async (call, token) =>
        {
            // Docker.DotNet would drop every option that it doesn't know, and send a value for each one that it does.
            try
            {
                using var response = await call.Connection.SendAsync(
                    HttpMethod.Post, $"containers/create?name={Uri.EscapeDataString(name)}", body, call.ApiVersion, token);
                var created = await response.Content.ReadFromJsonAsync(EngineJson.Default.CreatedContainer, token);
                return created?.Id ?? throw new EngineException(EngineFault.EngineError, $"Docker Engine told no id for container '{name}'.");
            }
            catch (DockerApiException e)
            {
                throw new DockerApiException(e.StatusCode, WithoutEnvironment(e.ResponseBody, body));
            }
        }, cancellationToken);

    public Task StartContainerAsync(string id, CancellationToken cancellationToken) =>
        CallAsync($"Start of container '{id}'", deadlines.Start, (call, token) =>
            call.Docker.Containers.StartContainerAsync(PathPart(id), new ContainerStartParameters(), token), cancellationToken);

    public Task StopContainerAsync(string id, TimeSpan grace, CancellationToken cancellationToken)
    {
        var seconds = (uint)Math.Ceiling(grace.TotalSeconds);
        return CallAsync($"Stop of container '{id}'", TimeSpan.FromSeconds(seconds) + deadlines.AfterGrace, async (call, token) =>
        {
            try
            {
                await call.Docker.Containers.StopContainerAsync(PathPart(id), new ContainerStopParameters { WaitBeforeKillSeconds = seconds }, token);
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound || IsBeingRemoved(e))
            {
                // Gone, or about to be: that is what was asked for.
            }
        }, cancellationToken);
    }

    public Task KillContainerAsync(string id, string signal, CancellationToken cancellationToken) =>
        CallAsync($"Signal {signal} to container '{id}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                await call.Docker.Containers.KillContainerAsync(PathPart(id), new ContainerKillParameters { Signal = signal }, token);
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
            {
                // Absent, or not running.
            }
        }, cancellationToken);

    public Task DisableRestartPolicyAsync(string id, CancellationToken cancellationToken) =>
        CallAsync($"Update of container '{id}'", deadlines.Short, (call, token) =>
        {
            var update = new ContainerUpdateParameters { RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No } };
            return call.Docker.Containers.UpdateContainerAsync(PathPart(id), update, token);
        }, cancellationToken);

    public Task RemoveContainerAsync(string id, CancellationToken cancellationToken) =>
        CallAsync($"Removal of container '{id}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                await call.Docker.Containers.RemoveContainerAsync(PathPart(id), new ContainerRemoveParameters { RemoveVolumes = true }, token);
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound || IsBeingRemoved(e))
            {
                // Gone, or about to be.
            }
        }, cancellationToken);

    public Task<IReadOnlyList<string>> GetLogTailAsync(string id, int lines, CancellationToken cancellationToken) =>
        CallAsync($"Log of container '{id}'", deadlines.Short, async (call, token) =>
        {
            var wanted = new ContainerLogsParameters
            {
                ShowStdout = true,
                ShowStderr = true,
                Tail = lines.ToString(CultureInfo.InvariantCulture),
            };
            try
            {
                using var output = await call.Docker.Containers.GetContainerLogsAsync(PathPart(id), wanted, token);
                return await new LogTail(lines).ReadAsync(output, token);
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotImplemented || EngineFaults.Says(EngineFaults.TextOf(e), "does not support reading"))
            {
                // The log driver keeps nothing that could be read.
                return [];
            }
        }, cancellationToken);

    /// <summary>Copies what a container writes to its two outputs.</summary>
    /// <param name="id">Id or name.</param>
    /// <param name="lines">How many lines of what it wrote before.</param>
    /// <param name="follows">Whether it goes on until the container ends.</param>
    /// <param name="output">Gets its standard output.</param>
    /// <param name="errors">Gets its standard error.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="EngineException">It can't be read.</exception>
    public Task CopyLogAsync(string id, int lines, bool follows, Stream output, Stream errors, CancellationToken cancellationToken) =>
        CallAsync($"Log of container '{id}'", follows ? Timeout.InfiniteTimeSpan : deadlines.Short, async (call, token) =>
        {
            var wanted = new ContainerLogsParameters
            {
                ShowStdout = true,
                ShowStderr = true,
                Follow = follows,
                Tail = lines.ToString(CultureInfo.InvariantCulture),
            };
            using var log = await call.Docker.Containers.GetContainerLogsAsync(PathPart(id), wanted, token);
            await log.CopyOutputToAsync(Stream.Null, output, errors, token);
        }, cancellationToken);

    private Task<IList<ContainerListResponse>> ListAsync(IReadOnlyDictionary<string, string> labels, CancellationToken cancellationToken) =>
        CallAsync("List of containers", deadlines.Short, (call, token) =>
            call.Docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = LabelFilter(labels) }, token), cancellationToken);

    private static Dictionary<string, IDictionary<string, bool>> LabelFilter(IReadOnlyDictionary<string, string> labels) => new()
    {
        ["label"] = labels.ToDictionary(label => label.Value.Length == 0 ? label.Key : $"{label.Key}={label.Value}", _ => true, StringComparer.Ordinal),
    };

    /// <summary>"removal of container 4f4f is already in progress", or "… is marked for removal".</summary>
    private static bool IsBeingRemoved(DockerApiException answer) =>
        answer.StatusCode is HttpStatusCode.Conflict && EngineFaults.TextOf(answer) is var text
        && (EngineFaults.Says(text, "removal") && EngineFaults.Says(text, "in progress") || EngineFaults.Says(text, "marked for removal"));

    /// <summary>Docker.DotNet puts ids and names into the path without escaping them.</summary>
    private static string PathPart(string idOrName) =>
        idOrName.Length > 0 && idOrName.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') && idOrName.Trim('.').Length > 0
            ? idOrName
            : throw new EngineException(EngineFault.BadRequest, $"'{EngineFaults.Clean(idOrName)}' isn't the id or name of a container.");

    /// <summary>The engine quotes a variable that it refuses: "invalid environment variable: =hunter2".</summary>
    private static string WithoutEnvironment(string? text, JsonObject body)
    {
        var variables = (body.FirstOrDefault(member => string.Equals(member.Key, "Env", StringComparison.OrdinalIgnoreCase)).Value as JsonArray ?? [])
            .Select(entry => entry is JsonValue value && value.TryGetValue<string>(out var variable) ? variable : "")
            .Where(variable => variable.Contains('=', StringComparison.Ordinal))
            .OrderByDescending(variable => variable.Length);

        return variables.Aggregate(text ?? "", (left, variable) =>
            left.Replace(variable, variable[..variable.IndexOf('=', StringComparison.Ordinal)] + "=…", StringComparison.Ordinal));
    }

    private sealed record CreatedContainer(string Id);

    private sealed record EventMessage(string? Action, EventActor? Actor);

    private sealed record EventActor([property: JsonPropertyName("ID")] string? Id);

    [JsonSerializable(typeof(CreatedContainer))]
    [JsonSerializable(typeof(EventMessage))]
    private sealed partial class EngineJson : JsonSerializerContext;
}
