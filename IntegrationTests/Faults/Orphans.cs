using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>What a fault may leave behind in the engine, and must not: containers, networks, addresses, images.</summary>
internal sealed class Orphans
{
    private readonly LabHost _lab;
    private readonly Shop _shop;
    private readonly List<string> _networks;
    private readonly HashSet<string> _images;

    private Orphans(LabHost lab, Shop shop, List<string> networks, HashSet<string> images) => (_lab, _shop, _networks, _images) = (lab, shop, networks, images);

    /// <summary>What is there now is no orphan.</summary>
    public static async Task<Orphans> WatchAsync(LabHost lab, Shop shop)
    {
        using var engine = Open(lab);
        return new Orphans(lab, shop, await NetworksAsync(engine), await ImagesAsync(engine, shop));
    }

    /// <summary>Removes containers and images of a run that ended early.</summary>
    public static async Task RemoveLeftOversAsync(LabHost lab, Shop shop)
    {
        using var engine = Open(lab);
        foreach (var container in await shop.ContainersAsync())
            (await engine.DeleteAsync(new Uri($"containers/{container.Id}?force=true", UriKind.Relative))).Dispose();
        foreach (var version in await ImagesAsync(engine, shop))
            (await engine.DeleteAsync(new Uri($"images/{lab.Registry}/{shop.Application}:{version}?force=true", UriKind.Relative))).Dispose();
    }

    /// <param name="status">Of the application, which has settled.</param>
    /// <param name="keptVersions">Those whose images may be here.</param>
    public async Task AssertNoneAsync(StatusDocument status, IReadOnlySet<string> keptVersions)
    {
        using var engine = Open(_lab);
        await AssertContainersAsync(engine, status);
        Assert.Equal(_networks, await NetworksAsync(engine));
        Assert.Subset(keptVersions.Concat(_images).ToHashSet(StringComparer.Ordinal), await ImagesAsync(engine, _shop));
    }

    // The active one runs, and one at most is kept for a rollback; each has an address of its own, and the engine keeps addresses for containers that run only.
    private async Task AssertContainersAsync(HttpClient engine, StatusDocument status)
    {
        var containers = await _shop.ContainersAsync();
        Assert.Single(containers, c => c.Status == ContainerStatus.Running);
        Assert.Equal(
            status.Releases.Select(r => r.ContainerId).OfType<string>().Order(StringComparer.Ordinal),
            containers.Select(c => c.Id).Order(StringComparer.Ordinal));
        var running = (await ListAsync(engine, "containers/json")).Select(c => (string)c!["Id"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var network in _networks)
        {
            var endpoints = JsonNode.Parse(await engine.GetStringAsync(new Uri($"networks/{network}", UriKind.Relative)))!["Containers"]!.AsObject();
            Assert.Subset(running, endpoints.Select(e => e.Key).ToHashSet(StringComparer.Ordinal));
            Assert.Distinct(endpoints.Select(e => (string)e.Value!["IPv4Address"]!));
        }
    }

    private static HttpClient Open(LabHost lab) => EngineHttp.Connect(lab.DockerSocket, TimeSpan.FromSeconds(10));

    private static async Task<List<string>> NetworksAsync(HttpClient engine) =>
        [.. (await ListAsync(engine, "networks")).Select(n => (string)n!["Name"]!).Order(StringComparer.Ordinal)];

    private static async Task<HashSet<string>> ImagesAsync(HttpClient engine, Shop shop)
    {
        var repository = $"/{shop.Application}:";
        return (await ListAsync(engine, "images/json"))
            .SelectMany(image => image!["RepoTags"]?.AsArray().Select(tag => (string)tag!) ?? [])
            .Where(tag => tag.Contains(repository, StringComparison.Ordinal))
            .Select(tag => tag[(tag.LastIndexOf(':') + 1)..])
            .ToHashSet(StringComparer.Ordinal);
    }

    private static async Task<JsonArray> ListAsync(HttpClient engine, string path) => JsonNode.Parse(await engine.GetStringAsync(new Uri(path, UriKind.Relative)))!.AsArray();
}
