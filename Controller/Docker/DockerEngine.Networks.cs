using System.Net;
using System.Text.Json.Nodes;
using global::Docker.DotNet;
using global::Docker.DotNet.Models;

namespace Wunderproxy.Controller.Docker;

internal sealed partial class DockerEngine
{
    private const int LooksForNetwork = 10;

    private static readonly TimeSpan PauseBetweenLooks = TimeSpan.FromMilliseconds(100);

    public async Task<EngineNetwork> EnsureNetworkAsync(NetworkSpec network, CancellationToken cancellationToken) =>
        await FindNetworkAsync(network, cancellationToken) ?? await MakeNetworkAsync(network, cancellationToken);

    private async Task<EngineNetwork> MakeNetworkAsync(NetworkSpec network, CancellationToken cancellationToken)
    {
        EngineException? refusal = null;
        try
        {
            await CreateNetworkAsync(network, cancellationToken);
        }
        catch (EngineException e) when (e.Fault is EngineFault.Conflict)
        {
            // Another network has the name or the subnet. When another Controller was quicker it is the one that was wanted, but the engine lists it a moment later.
            refusal = e;
        }

        for (var look = 0; look < LooksForNetwork; look++)
        {
            if (await FindNetworkAsync(network, cancellationToken) is { } made)
            {
                return made;
            }

            await Task.Delay(PauseBetweenLooks, time, cancellationToken);
        }

        throw refusal ?? new EngineException(EngineFault.EngineError, $"Network '{network.Name}' was created, but isn't there.");
    }

    private Task<EngineNetwork?> FindNetworkAsync(NetworkSpec network, CancellationToken cancellationToken) =>
        CallAsync($"Inspect of network '{network.Name}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                // The engine takes the beginning of an id, too.
                var found = await call.Docker.Networks.InspectNetworkAsync(network.Name, token);
                return found.Name == network.Name ? OursAsIs(network, found) : null;
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
            {
                return null;
            }
        }, cancellationToken);

    private static EngineNetwork OursAsIs(NetworkSpec network, NetworkResponse found) =>
        network.Labels.All(label => found.Labels is { } labels && labels.TryGetValue(label.Key, out var value) && value == label.Value)
            ? AsIs(found)
            : throw new EngineException(EngineFault.Conflict, $"Network '{network.Name}' exists, but isn't ours; remove it, or choose another name.");

    private Task CreateNetworkAsync(NetworkSpec network, CancellationToken cancellationToken) =>
        CallAsync($"Create of network '{network.Name}' with {network.Subnet}", deadlines.Short, async (call, token) =>
        {
            // Docker.DotNet has no CheckDuplicate, without which an engine before API 1.44 makes a second network of the same name.
            var body = new JsonObject
            {
                ["Name"] = network.Name,
                ["CheckDuplicate"] = true,
                ["Driver"] = "bridge",
                ["IPAM"] = new JsonObject
                {
                    ["Config"] = new JsonArray(new JsonObject
                    {
                        ["Subnet"] = network.Subnet,
                        ["IPRange"] = network.DynamicRange,
                        ["Gateway"] = FirstAddressOf(network.Subnet),
                    }),
                },
                ["Labels"] = new JsonObject(network.Labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))),
            };
            using var created = await call.Connection.SendAsync(HttpMethod.Post, "networks/create", body, call.ApiVersion, token);
        }, cancellationToken);

    private static EngineNetwork AsIs(NetworkResponse network)
    {
        var config = network.IPAM?.Config?.FirstOrDefault();
        string?[] used = [config?.Gateway, .. (network.Containers?.Values ?? []).Select(container => container.IPv4Address)];
        return new EngineNetwork(
            network.ID,
            config?.Subnet ?? "",
            config?.IPRange is { Length: > 0 } range ? range : null,
            [.. used.Where(address => !string.IsNullOrEmpty(address)).Select(address => address!.Split('/')[0])]);
    }

    /// <summary>172.30.0.1 of 172.30.0.0/16.</summary>
    private static string FirstAddressOf(string subnet)
    {
        var bytes = IPNetwork.Parse(subnet).BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new IPAddress(bytes).ToString();
    }
}
