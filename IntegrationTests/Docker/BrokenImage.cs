using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>An image in a registry whose only layer has the digest that its manifest tells, but is no archive.</summary>
internal static class BrokenImage
{
    private const string Manifest = "application/vnd.docker.distribution.manifest.v2+json";
    private const string Config = "application/vnd.docker.container.image.v1+json";
    private const string Layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    public static async Task PublishAsync(string registry, string repository, string tag)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{registry}/v2/{repository}/") };
        var layer = Encoding.UTF8.GetBytes("this is no archive");
        var config = JsonSerializer.SerializeToUtf8Bytes(new { architecture = "amd64", os = "linux", rootfs = new { type = "layers", diff_ids = new[] { DigestOf(layer) } } });
        await UploadAsync(http, layer);
        await UploadAsync(http, config);
        var manifest = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = Manifest,
            config = new { mediaType = Config, size = config.Length, digest = DigestOf(config) },
            layers = new[] { new { mediaType = Layer, size = layer.Length, digest = DigestOf(layer) } },
        });
        using var content = new ByteArrayContent(manifest) { Headers = { ContentType = new MediaTypeHeaderValue(Manifest) } };
        using var stored = await http.PutAsync(new Uri($"manifests/{tag}", UriKind.Relative), content);
        stored.EnsureSuccessStatusCode();
    }

    private static async Task UploadAsync(HttpClient http, byte[] blob)
    {
        using var begun = await http.PostAsync(new Uri("blobs/uploads/", UriKind.Relative), content: null);
        begun.EnsureSuccessStatusCode();
        using var content = new ByteArrayContent(blob) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        using var stored = await http.PutAsync(new Uri($"{begun.Headers.Location}&digest={DigestOf(blob)}"), content);
        stored.EnsureSuccessStatusCode();
    }

    private static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
}
