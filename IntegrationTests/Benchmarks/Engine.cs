using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>The lab's Docker Engine, spoken to as plainly as curl does.</summary>
internal sealed class Engine(string socketPath) : IDisposable
{
    private readonly HttpClient _http = EngineHttp.Connect(socketPath, TimeSpan.FromMinutes(1));

    public async Task PullAsync(string repository, string tag, CancellationToken cancellationToken) =>
        await DoneAsync(await _http.PostAsync(Path($"images/create?fromImage={repository}&tag={tag}"), content: null, cancellationToken), cancellationToken);

    /// <summary>Creates a bridge network, unless there is one of that name.</summary>
    public async Task CreateNetworkAsync(string name, string subnet, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["Name"] = name,
            ["CheckDuplicate"] = true,
            ["IPAM"] = new JsonObject { ["Config"] = new JsonArray(new JsonObject { ["Subnet"] = subnet }) },
        };
        using var answer = await _http.PostAsJsonAsync(Path("networks/create"), body, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.Conflict)
            await DoneAsync(answer, cancellationToken);
    }

    /// <param name="image">Its image.</param>
    /// <param name="network">Network and fixed address; absent: the default network, which deals out an address.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Its id.</returns>
    public async Task<string> CreateAsync(string image, (string Name, string Address)? network, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["Image"] = image };
        if (network is var (name, address))
        {
            body["HostConfig"] = new JsonObject { ["NetworkMode"] = name };
            body["NetworkingConfig"] = new JsonObject
            {
                ["EndpointsConfig"] = new JsonObject { [name] = new JsonObject { ["IPAMConfig"] = new JsonObject { ["IPv4Address"] = address } } },
            };
        }

        using var answer = await _http.PostAsJsonAsync(Path("containers/create"), body, cancellationToken);
        return (string)JsonNode.Parse(await DoneAsync(answer, cancellationToken))!["Id"]!;
    }

    public async Task StartAsync(string container, CancellationToken cancellationToken) =>
        await DoneAsync(await _http.PostAsync(Path($"containers/{container}/start"), content: null, cancellationToken), cancellationToken);

    public async Task<string> AddressOfAsync(string container, CancellationToken cancellationToken)
    {
        var answer = await DoneAsync(await _http.GetAsync(Path($"containers/{container}/json"), cancellationToken), cancellationToken);
        var networks = JsonNode.Parse(answer)!["NetworkSettings"]!["Networks"]!.AsObject();
        return (string)networks.Single().Value!["IPAddress"]!;
    }

    public async Task RemoveContainerAsync(string container, CancellationToken cancellationToken) =>
        await DoneAsync(await _http.DeleteAsync(Path($"containers/{container}?force=true"), cancellationToken), cancellationToken);

    public async Task RemoveImageAsync(string reference, CancellationToken cancellationToken) =>
        await DoneAsync(await _http.DeleteAsync(Path($"images/{reference}"), cancellationToken), cancellationToken);

    public async Task ImportAsync(string archive, string repository, string tag, CancellationToken cancellationToken) =>
        await SendAsync($"images/create?fromSrc=-&repo={repository}&tag={tag}", await File.ReadAllBytesAsync(archive, cancellationToken), cancellationToken);

    /// <param name="context">A tar archive with a Dockerfile.</param>
    /// <param name="reference">Name and tag of the image.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task BuildAsync(byte[] context, string reference, CancellationToken cancellationToken) =>
        await SendAsync($"build?t={reference}&networkmode=none", context, cancellationToken);

    public async Task PushAsync(string repository, string tag, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Path($"images/{repository}/push?tag={tag}"));
        request.Headers.Add("X-Registry-Auth", "e30=");
        await DoneAsync(await _http.SendAsync(request, cancellationToken), cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(string path, byte[] archive, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(archive);
        content.Headers.ContentType = new("application/x-tar");
        await DoneAsync(await _http.PostAsync(Path(path), content, cancellationToken), cancellationToken);
    }

    private static Uri Path(string path) => new(path, UriKind.Relative);

    // Pull, push and build report an error inside a successful stream.
    private static async Task<string> DoneAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.IsSuccessStatusCode && !body.Contains("\"errorDetail\"", StringComparison.Ordinal)
            ? body
            : throw new InvalidOperationException($"The engine answered {(int)answer.StatusCode} to {answer.RequestMessage!.RequestUri}: {body}");
    }
}
