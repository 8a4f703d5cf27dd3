using System.Collections.Concurrent;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>Builds versions of the sample application and pushes them to the lab's registry; each one once per run.</summary>
/// <param name="registry">Host and port of the registry.</param>
/// <param name="script">Path of the sample application's <c>build-image.sh</c>.</param>
public sealed class SampleImages(string registry, string script)
{
    // The first one builds the program, imports its base and pushes it; every further one takes milliseconds.
    private static readonly TimeSpan BuildDeadline = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<string, Lazy<Task>> _pushed = new(StringComparer.Ordinal);

    /// <summary>The image is in the registry and in the engine when this returns.</summary>
    /// <param name="application">Repository of the image.</param>
    /// <param name="version">Tag of the image, and what the application answers with.</param>
    /// <param name="variables">Environment of the image, such as <c>HEALTH=503</c>: the knobs of the sample application.</param>
    /// <returns>Its reference, such as <c>localhost:8080/shop:v1</c>.</returns>
    public async Task<string> PushAsync(string application, string version, params string[] variables)
    {
        var reference = $"{registry}/{application}:{version}";
        string[] arguments = ["--push", reference, version, .. variables];
        await _pushed.GetOrAdd(string.Join('\n', arguments), _ => new(() => BuildAsync(arguments))).Value;
        return reference;
    }

    private Task<string> BuildAsync(string[] arguments) => Command.RunAsync(script, arguments, BuildDeadline);
}
