using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Containers;

/// <summary>What the engine gets in order to create a container: the configuration's own objects, and ours on top.</summary>
internal static class ContainerBody
{
    /// <summary>Builds the body of the call. The same arguments always give the same body.</summary>
    /// <param name="configuration">A configuration that <see cref="ContainerPolicy"/> let pass.</param>
    /// <param name="identity">What the container will be; it becomes its labels, its port and its address.</param>
    /// <param name="image">Reference or id of an image that is present.</param>
    /// <param name="environment">The host's own variables; one that the configuration sets itself is left out.</param>
    /// <remarks>Source: Docker Engine API v1.41, <c>POST /containers/create</c>.</remarks>
    public static JsonObject Build(LaunchConfiguration configuration, ContainerIdentity identity, string image, IReadOnlyDictionary<string, string> environment)
    {
        var body = ObjectOf(configuration.ContainerConfig);
        Set(body, "Image", image);
        Set(body, "Env", Environment(configuration.ContainerConfig, environment));
        AddLabels(Child(body, "Labels"), identity);
        AddStop(body, configuration.Stop);
        Child(body, "ExposedPorts")[TcpPort(identity)] = new JsonObject();

        var host = ObjectOf(configuration.HostConfig);
        Set(host, "RestartPolicy", new JsonObject { ["Name"] = "no" });
        Set(host, "AutoRemove", false);
        Set(body, "HostConfig", host);
        AddAddress(body, host, identity);
        return body;
    }

    private static void AddAddress(JsonObject body, JsonObject host, ContainerIdentity identity)
    {
        switch (identity.Address)
        {
            case AddressMode.Bridge bridge:
                Set(host, "NetworkMode", bridge.Network);
                Set(body, "NetworkingConfig", Endpoint(bridge));
                break;
            case AddressMode.Published:
                Child(host, "PortBindings")[TcpPort(identity)] = new JsonArray(new JsonObject { ["HostIp"] = "127.0.0.1", ["HostPort"] = "" });
                break;
            default:
                break;
        }
    }

    private static JsonObject Endpoint(AddressMode.Bridge bridge) => new()
    {
        ["EndpointsConfig"] = new JsonObject
        {
            [bridge.Network] = new JsonObject { ["IPAMConfig"] = new JsonObject { ["IPv4Address"] = bridge.Address } },
        },
    };

    private static JsonArray Environment(JsonElement containerConfig, IReadOnlyDictionary<string, string> environment)
    {
        string[] own = [.. EngineObject.ItemsOf(containerConfig, "Env").Select(e => e.GetString()!)];
        var ownNames = own.Select(e => e.Split('=')[0]).ToHashSet(StringComparer.Ordinal);
        var added = environment.Where(v => !ownNames.Contains(v.Key)).OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}");
        return new JsonArray([.. own.Concat(added).Select(e => (JsonNode)JsonValue.Create(e))]);
    }

    private static void AddLabels(JsonObject labels, ContainerIdentity identity)
    {
        foreach (var (name, value) in ContainerLabels.For(identity))
        {
            labels[name] = value;
        }
    }

    private static void AddStop(JsonObject body, StopSpec stop)
    {
        if (stop.Signal is not null)
        {
            Set(body, "StopSignal", stop.Signal);
        }

        Set(body, "StopTimeout", (int)Math.Ceiling(stop.Timeout.TotalSeconds));
    }

    private static string TcpPort(ContainerIdentity identity) => string.Create(CultureInfo.InvariantCulture, $"{identity.Port}/tcp");

    private static JsonObject ObjectOf(JsonElement? element) => element is { ValueKind: JsonValueKind.Object } it ? JsonObject.Create(it.Clone())! : [];

    /// <summary>A member that is an object, created where it is absent or null.</summary>
    private static JsonObject Child(JsonObject parent, string name)
    {
        var child = parent.LastOrDefault(m => EngineObject.SameName(m.Key, name)).Value?.DeepClone() as JsonObject ?? [];
        Set(parent, name, child);
        return child;
    }

    /// <summary>Sets a member under its proper name, and removes it under every other that the engine would take for it.</summary>
    private static void Set(JsonObject parent, string name, JsonNode? value)
    {
        foreach (var other in parent.Select(m => m.Key).Where(k => EngineObject.SameName(k, name)).ToList())
        {
            parent.Remove(other);
        }

        parent[name] = value;
    }
}
