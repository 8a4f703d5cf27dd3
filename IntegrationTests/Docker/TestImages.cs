using System.Formats.Tar;
using Docker.DotNet;
using Docker.DotNet.Models;
using Docker.DotNet.NativeHttp;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>Brings images of a few hundred bytes more than busybox into an engine or registry, without any network but the lab's.</summary>
internal sealed class TestImages : IDisposable
{
    private const string Busybox = "/bin/busybox";

    private readonly DockerClient _docker;

    public TestImages(string engineAddress)
    {
        var endpoint = EngineEndpoint.Parse(engineAddress);
        _docker = new DockerClientBuilder()
            .WithEndpoint(new Uri("http://docker-engine/"))
            .WithTimeout(Timeout.InfiniteTimeSpan)
            .WithTransportOptions(new NativeHttpTransportOptions
            {
                ConfigureHandler = handler => handler.ConnectCallback = async (_, token) => await endpoint.ConnectAsync(token),
            })
            .Build();
    }

    /// <summary>Imports an image that has a shell, and a file with this text so that images differ.</summary>
    /// <param name="reference">repository:tag.</param>
    /// <param name="text">Content of the file <c>/text</c>.</param>
    public async Task ImportAsync(string reference, string text)
    {
        await using var root = FileSystem(text);
        var name = ImageReference.Parse(reference);
        var output = new Output();
        var import = new ImagesCreateParameters { FromSrc = "-", Repo = name.Repository, Tag = name.Tag, Changes = ["EXPOSE 9292/tcp"] };
        await _docker.Images.CreateImageAsync(import, root, null, output);
        Assert.Null(output.Error);
    }

    /// <summary>Imports an image and pushes it; then the engine doesn't have it any more.</summary>
    public async Task PublishAsync(string reference, string text)
    {
        await ImportAsync(reference, text);
        var name = ImageReference.Parse(reference);
        var output = new Output();
        await _docker.Images.PushImageAsync(name.Repository, new ImagePushParameters { Tag = name.Tag }, new AuthConfig(), output);
        Assert.Null(output.Error);
        await RemoveAsync(reference);
    }

    /// <summary>The image as <c>docker save</c> writes it.</summary>
    public async Task<MemoryStream> SaveAsync(string reference)
    {
        await using var archive = await _docker.Images.SaveImageAsync(reference);
        var copy = new MemoryStream();
        await archive.CopyToAsync(copy);
        copy.Position = 0;
        return copy;
    }

    public Task RemoveAsync(string reference) => _docker.Images.DeleteImageAsync(reference, new ImageDeleteParameters());

    public async Task RemoveNetworkAsync(string name)
    {
        try
        {
            await _docker.Networks.DeleteNetworkAsync(name);
        }
        catch (DockerNetworkNotFoundException)
        {
            // The test came to its end before it made the network.
        }
    }

    public void Dispose() => _docker.Dispose();

    private static MemoryStream FileSystem(string text)
    {
        var archive = new MemoryStream();
        using (var tar = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "bin/") { Mode = (UnixFileMode)0b111_101_101 });
            tar.WriteEntry(Busybox, "bin/busybox");
            tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "bin/sh") { LinkName = "busybox" });
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "text") { DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)) });
        }

        archive.Position = 0;
        return archive;
    }

    private sealed class Output : IProgress<JSONMessage>
    {
        public string? Error { get; private set; }

        public void Report(JSONMessage value) => Error ??= value.Error?.Message;
    }
}
