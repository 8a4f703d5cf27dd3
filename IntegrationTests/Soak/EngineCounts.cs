using System.Text.Json.Nodes;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>How much there is in the lab's engine; each count is one cheap call.</summary>
internal sealed class EngineCounts(string socketPath) : IDisposable
{
    private readonly HttpClient _http = EngineHttp.Connect(socketPath, TimeSpan.FromSeconds(30));

    /// <summary>Containers in any state.</summary>
    public async Task<int> ContainersAsync() => (await ListAsync("containers/json?all=true")).Count;

    /// <summary>Containers of an application in any state.</summary>
    public async Task<int> ContainersOfAsync(string application) => (await ListAsync(
        $"containers/json?all=true&filters={Uri.EscapeDataString($$"""{"label":["wunderproxy.application={{application}}"]}""")}")).Count;

    /// <summary>References of images in a repository.</summary>
    public async Task<int> ImagesOfAsync(string repository) => (await ListAsync("images/json"))
        .SelectMany(image => image!["RepoTags"]?.AsArray().Select(tag => (string?)tag) ?? [])
        .Count(tag => tag!.StartsWith($"{repository}:", StringComparison.Ordinal));

    public async Task<int> ImagesAsync() => (await ListAsync("images/json")).Count;

    public async Task<int> NetworksAsync() => (await ListAsync("networks")).Count;

    public void Dispose() => _http.Dispose();

    private async Task<JsonArray> ListAsync(string path) => JsonNode.Parse(await _http.GetStringAsync(new Uri(path, UriKind.Relative)))!.AsArray();
}
