using System.Globalization;
using System.IO.Compression;
using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

internal sealed partial class SimulatedEngine
{
    private const string ArchiveMark = "simulated image archive\n";

    private readonly List<SimulatedImage> _images = [];
    private readonly Dictionary<string, SimulatedImage> _registry = new(StringComparer.Ordinal);

    /// <summary>Registries that answer, by host and port.</summary>
    public HashSet<string> Registries { get; } = new(StringComparer.Ordinal);

    /// <summary>Puts an image into the engine, with a reference.</summary>
    public void Import(string reference) => Put(ImageOf(reference), reference);

    /// <summary>Puts an image into a registry.</summary>
    public void Publish(string reference) => _registry[reference] = ImageOf(reference);

    /// <summary>An archive as <see cref="LoadImageAsync"/> takes it.</summary>
    public MemoryStream Save(string reference) => new(Encoding.UTF8.GetBytes($"{ArchiveMark}{FindImage(reference)!.Id}\n{reference}"));

    public Task<EngineImage?> InspectImageAsync(string reference, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var image = reference.StartsWith("sha256:", StringComparison.Ordinal) ? _images.FirstOrDefault(i => i.Id == reference) : FindImage(Full(reference));
            return Task.FromResult(image is null ? null : new EngineImage(image.Id, [.. image.Tags], [.. image.Digests], ["9292/tcp"]));
        }
    }

    public Task PullImageAsync(string reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var full = Full(reference);
            var name = ImageReference.Parse(full);
            if (!Registries.Contains(name.Registry))
                throw new EngineException(EngineFault.RegistryUnavailable, $"Pull of '{reference}' failed: dial tcp {name.Registry}: connect: connection refused.");
            var image = name.Digest is { } digest
                ? _registry.FirstOrDefault(i => i.Value.Id == digest && ImageReference.Parse(i.Key).Repository == name.Repository).Value
                : _registry.GetValueOrDefault(full);
            if (image is null)
                throw new EngineException(EngineFault.NotFound, $"Pull of '{reference}' failed: manifest unknown.");
            progress?.Report(new PullProgress("Pull complete", 100, 100));
            Put(image, full);
            return Task.CompletedTask;
        }
    }

    public async Task<IReadOnlyList<string>> LoadImageAsync(Stream archive, CancellationToken cancellationToken)
    {
        await using var read = archive;
        using var copy = new MemoryStream();
        await read.CopyToAsync(copy, cancellationToken);
        var text = Encoding.UTF8.GetString(Decompressed(copy.ToArray()));
        if (!text.StartsWith(ArchiveMark, StringComparison.Ordinal))
            throw new EngineException(EngineFault.BadRequest, "Load of an image failed: invalid tar header.");
        var lines = text[ArchiveMark.Length..].Split('\n');
        lock (_gate)
            Put(new SimulatedImage(lines[0]), lines[1]);
        return [lines[1]];
    }

    public Task TagImageAsync(string image, string reference, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var found = _images.FirstOrDefault(i => i.Id == image) ?? FindImage(Full(image)) ?? throw new EngineException(EngineFault.NotFound, $"Tag of image '{image}' failed: no such image.");
            Put(found, Full(reference));
            return Task.CompletedTask;
        }
    }

    public Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (FindImage(Full(reference)) is not { } image)
                return Task.FromResult(true);
            if (image.Tags.Count == 1 && _containers.Any(c => c.ImageId == image.Id))
                return Task.FromResult(false);
            image.Tags.Remove(Full(reference));
            if (image.Tags.Count == 0)
                _images.Remove(image);
            return Task.FromResult(true);
        }
    }

    private static SimulatedImage ImageOf(string reference) => new("sha256:" + ContentHash.Of(Encoding.UTF8.GetBytes(reference)));

    private static string Full(string reference) => ImageReference.Parse(reference) switch
    {
        { Digest: not null } => reference,
        var name => string.Create(CultureInfo.InvariantCulture, $"{name.Repository}:{name.Tag}"),
    };

    private static byte[] Decompressed(byte[] archive)
    {
        if (archive is not [0x1f, 0x8b, ..])
            return archive;
        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(archive), CompressionMode.Decompress))
            gzip.CopyTo(plain);
        return plain.ToArray();
    }

    private SimulatedImage? FindImage(string reference) => _images.FirstOrDefault(i => i.Id == reference || i.Tags.Contains(reference) || i.Digests.Contains(reference));

    private void Put(SimulatedImage image, string reference)
    {
        var here = _images.FirstOrDefault(i => i.Id == image.Id);
        if (here is null)
        {
            here = new SimulatedImage(image.Id);
            _images.Add(here);
        }

        foreach (var other in _images.Where(i => i != here))
            other.Tags.Remove(reference);
        var name = ImageReference.Parse(reference);
        if (name.Digest is null && !here.Tags.Contains(reference))
            here.Tags.Add(reference);
        if (name.Registry != ImageReference.DockerHub && !here.Digests.Contains($"{name.Repository}@{image.Id}"))
            here.Digests.Add($"{name.Repository}@{image.Id}");
    }

    private sealed record SimulatedImage(string Id)
    {
        public List<string> Tags { get; } = [];

        public List<string> Digests { get; } = [];
    }
}
