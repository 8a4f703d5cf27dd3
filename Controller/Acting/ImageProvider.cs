using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Acting;

/// <summary>Brings images here: from the registry, else from the release's artifact in the store, else what is here already.</summary>
internal sealed partial class ImageProvider(IContainerEngine engine, IObjectStore store, Pipelines pipelines, ILogger logger)
{
    /// <summary>Brings an image here.</summary>
    /// <returns>Its id.</returns>
    /// <exception cref="EngineException">It can't be had; the registry's reason.</exception>
    public async Task<string> BringAsync(LaunchConfiguration configuration, string reference, IProgress<PullProgress> progress, CancellationToken cancellationToken)
    {
        try
        {
            await Pipelines.ExecuteAsync(pipelines.Pull, token => engine.PullImageAsync(reference, progress, token), cancellationToken);
            return await IdOfAsync(reference, cancellationToken)
                ?? throw new EngineException(EngineFault.EngineError, $"The engine said that it pulled {reference}, but doesn't have it.");
        }
        catch (EngineException exception) when (exception.Fault is EngineFault.NotFound or EngineFault.RegistryUnavailable or EngineFault.Unauthorized or EngineFault.EngineError)
        {
            if (configuration.Artifact is { } artifact)
                return await LoadAsync(artifact, reference, exception, cancellationToken);
            if (exception.Fault != EngineFault.NotFound && await IdOfAsync(reference, cancellationToken) is { } present)
            {
                LogUsedPresent(reference, exception.Message);
                return present;
            }

            throw;
        }
    }

    private async Task<string> LoadAsync(ArtifactSpec artifact, string reference, EngineException cause, CancellationToken cancellationToken)
    {
        LogLoading(reference, artifact.Key, cause.Message);
        try
        {
            await using var archive = await store.OpenAsync(artifact.Bucket, artifact.Key, cancellationToken);
            var loaded = await engine.LoadImageAsync(archive, cancellationToken);
            return await TakeAsync(artifact, reference, loaded, cancellationToken);
        }
        catch (StoreException exception)
        {
            throw new EngineException(cause.Fault, $"{cause.Message} Its artifact couldn't be read either: {exception.Message}", exception);
        }
    }

    // A content hash identifies what was loaded: either the reference now names one of these images, or the only one gets the reference.
    private async Task<string> TakeAsync(ArtifactSpec artifact, string reference, IReadOnlyList<string> loaded, CancellationToken cancellationToken)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in loaded)
        {
            if (await IdOfAsync(name, cancellationToken) is { } id)
                ids.Add(id);
        }

        if (await IdOfAsync(reference, cancellationToken) is { } named && ids.Contains(named))
            return named;
        if (ids.Count != 1)
            throw new EngineException(EngineFault.BadRequest, $"The artifact {artifact.Key} holds {ids.Count} images, and none is {reference}. Save just that one into it.");
        var only = ids.Single();
        if (!reference.Contains('@', StringComparison.Ordinal))
            await engine.TagImageAsync(only, reference, cancellationToken);
        return only;
    }

    private async Task<string?> IdOfAsync(string reference, CancellationToken cancellationToken) =>
        (await Pipelines.ExecuteAsync(pipelines.Repeatable, token => engine.InspectImageAsync(reference, token), cancellationToken))?.Id;

    [LoggerMessage(210, LogLevel.Warning, "Took {Reference} as it is here, for the registry couldn't be asked. {Reason}")]
    private partial void LogUsedPresent(string reference, string reason);

    [LoggerMessage(211, LogLevel.Warning, "Loaded {Reference} from its artifact {Key}, for the registry couldn't serve it. {Reason}")]
    private partial void LogLoading(string reference, string key, string reason);
}
