using System.IO.Compression;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>The registry is no single point of failure: images come from an artifact in the store, or are here already.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class ArtifactTests(LabHost lab)
{
    private readonly IContainerEngine _engine = LabEngine.Open(lab);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Release_is_deployed_from_its_artifact_in_S3_while_the_registry_is_away(bool isCompressed)
    {
        await using var shop = await Shop.InS3Async(lab, "artifact");
        var reference = $"{lab.Registry}/artifact:{(isCompressed ? "gzip" : "plain")}";
        await shop.PutAsync("image.tar", await SaveAndRemoveAsync(reference, isCompressed));
        await lab.StopRegistryAsync();
        try
        {
            shop.Start();
            var hash = await shop.DeployAsync(Configuration(reference, artifactKey: "app/image.tar"));

            Assert.Equal(DeploymentEnd.Succeeded, (await shop.WaitForEndAsync(hash)).End);
            Assert.Equal("served by busybox\n", await shop.Client.GetStringAsync("status"));
        }
        finally
        {
            await lab.StartRegistryAsync();
        }
    }

    [Fact]
    public async Task Image_that_is_here_needs_no_registry()
    {
        await using var shop = Shop.InDirectory(lab, "present");
        var reference = $"{lab.Registry}/present:v1";
        await lab.ImportBusyboxAsync(reference);
        await lab.StopRegistryAsync();
        try
        {
            shop.Start();
            var hash = await shop.DeployAsync(Configuration(reference, artifactKey: null));

            Assert.Equal(DeploymentEnd.Succeeded, (await shop.WaitForEndAsync(hash)).End);
        }
        finally
        {
            await lab.StartRegistryAsync();
        }
    }

    private async Task<byte[]> SaveAndRemoveAsync(string reference, bool isCompressed)
    {
        await lab.ImportBusyboxAsync(reference);
        var path = Path.Combine(lab.NewDirectory("archive"), "image.tar");
        await Command.RunAsync("curl", ["-sS", "--fail", "--unix-socket", lab.DockerSocket, "-o", path, $"http://engine/images/{reference}/get"], TimeSpan.FromSeconds(30));
        Assert.True(await _engine.RemoveImageAsync(reference, CancellationToken.None));
        return isCompressed ? Compress(await File.ReadAllBytesAsync(path)) : await File.ReadAllBytesAsync(path);
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return compressed.ToArray();
    }

    private static JsonObject Configuration(string reference, string? artifactKey)
    {
        var configuration = new JsonObject
        {
            ["Revision"] = "v1",
            ["ContainerConfig"] = new JsonObject
            {
                ["Image"] = reference,
                ["Cmd"] = new JsonArray("sh", "-c", "mkdir -p /www; echo served by busybox > /www/status; exec httpd -f -p 9292 -h /www"),
            },
            ["HealthCheckPath"] = "status",
            ["Stop"] = new JsonObject { ["Timeout"] = "1s" },
        };
        if (artifactKey is not null)
            configuration["Artifact"] = new JsonObject { ["Key"] = artifactKey };
        return configuration;
    }
}
