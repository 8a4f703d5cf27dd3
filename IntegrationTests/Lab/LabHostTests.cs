namespace Wunderproxy.IntegrationTests.Lab;

[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class LabHostTests(LabHost lab)
{
    private static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Two_versions_of_the_sample_run_side_by_side_from_the_registry()
    {
        await lab.Samples.PushAsync("pair", "v1");
        await lab.Samples.PushAsync("pair", "v2", "GREETING=a \"b\" $c");
        await using var first = await StartAsync("pair:v1");
        await using var second = await StartAsync("pair:v2");

        Assert.Equal("hello from v1", await first.GetAsync("/"));
        Assert.Equal("hello from v2", await second.GetAsync("/"));
        Assert.Equal("ok", await second.GetAsync("/status"));
    }

    [Fact]
    public async Task Request_in_flight_is_answered_before_the_sample_ends_on_SIGTERM()
    {
        await lab.Samples.PushAsync("graceful", "v1");
        await using var sample = await StartAsync("graceful:v1");
        var slow = sample.GetAsync("/slow?ms=1000");
        await Eventually.HoldsAsync("the slow request arrived", async _ => (await sample.GetAsync("/stats")).Contains("\"Open\":2", StringComparison.Ordinal));

        await CurlAsync("-X", "POST", $"http://engine/containers/{sample.Id}/stop?t=10");

        Assert.Equal("hello from v1", await slow);
        Assert.Contains("\"ExitCode\":0,", await CurlAsync($"http://engine/containers/{sample.Id}/json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Power_cut_ends_every_container_and_the_host_comes_back_with_its_images()
    {
        await lab.Samples.PushAsync("cut", "v1");
        await using var sample = await StartAsync("cut:v1");

        await lab.PowerCutAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => sample.GetAsync("/"));
        await lab.RestoreAsync();

        Assert.Contains("\"ExitCode\":255,", await CurlAsync($"http://engine/containers/{sample.Id}/json"), StringComparison.Ordinal);
        Assert.Contains("cut:v1", await CurlAsync("http://engine/images/json"), StringComparison.Ordinal);
    }

    private async Task<SampleContainer> StartAsync(string image)
    {
        var created = await CurlAsync("-X", "POST", "-H", "Content-Type: application/json", "-d", $$"""{"Image":"{{lab.Registry}}/{{image}}"}""",
            "http://engine/containers/create");
        var id = created.Split('"')[3];
        await CurlAsync("-X", "POST", $"http://engine/containers/{id}/start");
        var address = (await CurlAsync($"http://engine/containers/{id}/json")).Split("\"IPAddress\":\"")[1].Split('"')[0];
        var container = new SampleContainer(id, new Uri($"http://{address}:9292"), CurlAsync);
        await Eventually.HoldsAsync($"{image} answers", async _ => await container.GetAsync("/status") == "ok");
        return container;
    }

    private Task<string> CurlAsync(params string[] arguments) =>
        Command.RunAsync("curl", ["-sS", "--fail-with-body", "--unix-socket", lab.DockerSocket, .. arguments], CallDeadline);

    private sealed class SampleContainer(string id, Uri address, Func<string[], Task<string>> engine) : IAsyncDisposable
    {
        private readonly HttpClient _client = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(5) };

        public string Id => id;

        public Task<string> GetAsync(string path) => _client.GetStringAsync(path);

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await engine(["-X", "DELETE", $"http://engine/containers/{id}?force=1"]);
        }
    }
}
