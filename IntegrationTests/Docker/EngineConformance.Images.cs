using System.IO.Compression;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public abstract partial class EngineConformance
{
    private string Published(string tag) => $"{Registry}/wp-test-{Run}:{tag}";

    [Fact]
    public async Task Image_tells_its_id_references_and_ports()
    {
        var image = await Engine.InspectImageAsync(BaseImage, Token);

        Assert.NotNull(image);
        Assert.StartsWith("sha256:", image.Id, StringComparison.Ordinal);
        Assert.Contains(BaseImage, image.Tags);
        Assert.Equal(["9292/tcp"], image.ExposedPorts);
        Assert.Equal(image.Id, (await Engine.InspectImageAsync(image.Id, Token))!.Id);
        Assert.Null(await Engine.InspectImageAsync("wp-test/absent:1", Token));
    }

    [Fact]
    public async Task Pulled_image_is_there_with_its_digest_and_progress_was_told()
    {
        await PublishAsync(Published("1"));
        var told = new Progress();

        await Engine.PullImageAsync(Published("1"), told, Token);
        var image = await Engine.InspectImageAsync(Published("1"), Token);
        Assert.NotNull(image);
        Assert.NotEmpty(told.Reports);

        // The same once more by its digest, which is the reference that never moves.
        await Engine.PullImageAsync(Assert.Single(image.Digests), null, Token);
        Assert.True(await Engine.RemoveImageAsync(Published("1"), Token));
    }

    [Fact]
    public async Task Pull_without_a_tag_means_latest_and_no_other_tag()
    {
        await PublishAsync(Published("other"));
        await PublishAsync(Published("latest"));

        await Engine.PullImageAsync($"{Registry}/wp-test-{Run}", null, Token);

        Assert.NotNull(await Engine.InspectImageAsync(Published("latest"), Token));
        Assert.Null(await Engine.InspectImageAsync(Published("other"), Token));
        await Engine.RemoveImageAsync(Published("latest"), Token);
    }

    [Fact]
    public async Task Pull_of_a_missing_repository_tag_or_digest_is_not_found()
    {
        await PublishAsync(Published("1"));
        await FailsAsync(EngineFault.NotFound, () => Engine.PullImageAsync($"{Registry}/wp-test-nobody-{Run}:1", null, Token));
        await FailsAsync(EngineFault.NotFound, () => Engine.PullImageAsync(Published("2"), null, Token));
        await FailsAsync(EngineFault.NotFound, () => Engine.PullImageAsync($"{Registry}/wp-test-{Run}@sha256:{new string('0', 64)}", null, Token));
    }

    [Theory]
    [InlineData("")]
    [InlineData("UPPER CASE")]
    [InlineData("../containers/json")]
    [InlineData("a//b")]
    public async Task Pull_of_what_is_no_reference_is_a_bad_request(string reference) =>
        await FailsAsync(EngineFault.BadRequest, () => Engine.PullImageAsync(reference, null, Token));

    [Fact]
    public async Task Pull_from_a_registry_that_is_down_says_so() =>
        await FailsAsync(EngineFault.RegistryUnavailable, () => Engine.PullImageAsync($"127.0.0.1:{FreePort()}/shop:1", null, Token));

    [Fact]
    public async Task Image_gets_one_more_reference_and_loses_it_again()
    {
        await Engine.TagImageAsync(BaseImage, $"wp-test-{Run}:kept", Token);
        Assert.Equal((await Engine.InspectImageAsync(BaseImage, Token))!.Id, (await Engine.InspectImageAsync($"wp-test-{Run}:kept", Token))!.Id);

        Assert.True(await Engine.RemoveImageAsync($"wp-test-{Run}:kept", Token));
        Assert.True(await Engine.RemoveImageAsync($"wp-test-{Run}:kept", Token));

        Assert.NotNull(await Engine.InspectImageAsync(BaseImage, Token));
        await FailsAsync(EngineFault.NotFound, () => Engine.TagImageAsync("wp-test/absent:1", $"wp-test-{Run}:kept", Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Archive_plain_or_compressed_is_loaded(bool compressed)
    {
        var reference = $"wp-test-{Run}:archived";
        await Engine.TagImageAsync(BaseImage, reference, Token);
        var archive = await SaveAsync(reference);
        await Engine.RemoveImageAsync(reference, Token);

        var loaded = await Engine.LoadImageAsync(compressed ? Compress(archive) : archive, Token);

        Assert.Contains(reference, loaded);
        Assert.NotNull(await Engine.InspectImageAsync(reference, Token));
        await Engine.RemoveImageAsync(reference, Token);
    }

    [Fact]
    public async Task Archive_that_is_none_is_a_bad_request() =>
        await FailsAsync(EngineFault.BadRequest, () => Engine.LoadImageAsync(new MemoryStream(new byte[4096].Select(_ => (byte)'x').ToArray()), Token));

    [Fact]
    public async Task Image_of_a_stopped_container_keeps_its_last_reference()
    {
        await PublishAsync(Published("used"));
        await Engine.PullImageAsync(Published("used"), null, Token);
        var body = Body("exit 0");
        body["Image"] = Published("used");
        var id = await Engine.CreateContainerAsync(NameOf("a"), body, Token);

        Assert.False(await Engine.RemoveImageAsync(Published("used"), Token));
        Assert.NotNull(await Engine.InspectImageAsync(Published("used"), Token));

        await Engine.RemoveContainerAsync(id, Token);
        Assert.True(await Engine.RemoveImageAsync(Published("used"), Token));
    }

    private static MemoryStream Compress(MemoryStream plain)
    {
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            plain.CopyTo(gzip);
        }

        compressed.Position = 0;
        return compressed;
    }

    private sealed class Progress : IProgress<PullProgress>
    {
        public List<PullProgress> Reports { get; } = [];

        public void Report(PullProgress value) => Reports.Add(value);
    }
}
