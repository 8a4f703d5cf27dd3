using System.Net;
using global::Docker.DotNet;
using global::Docker.DotNet.Models;

namespace Wunderproxy.Controller.Docker;

internal sealed partial class DockerEngine
{
    public Task<EngineImage?> InspectImageAsync(string reference, CancellationToken cancellationToken)
    {
        _ = ImageReference.Parse(reference);
        return CallAsync($"Inspect of image '{reference}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                var image = await call.Docker.Images.InspectImageAsync(reference, token);
                return new EngineImage(image.ID, [.. image.RepoTags ?? []], [.. image.RepoDigests ?? []], [.. image.Config?.ExposedPorts?.Keys ?? []]);
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
            {
                return null;
            }
        }, cancellationToken);
    }

    public async Task PullImageAsync(string reference, IProgress<PullProgress>? progress, CancellationToken cancellationToken)
    {
        var image = ImageReference.Parse(reference);
        var credential = await credentials.FindAsync(image.Registry, cancellationToken);
        var start = time.GetTimestamp();
        using var monitor = new PullMonitor(progress, deadlines, time);

        // The monitor's own end comes first and knows more; this deadline is the net below it.
        await CallAsync($"Pull of '{reference}'", deadlines.Pull + deadlines.Short, (call, token) =>
            PullAsync(call.Docker, reference, image, credential, monitor, token), cancellationToken);
        logger.Pulled(reference, time.GetElapsedTime(start).TotalMilliseconds);
    }

    public Task<IReadOnlyList<string>> LoadImageAsync(Stream archive, CancellationToken cancellationToken) =>
        CallAsync("Load of an image archive", deadlines.Load, async (call, token) =>
        {
            var output = new LoadOutput();
            await call.Docker.Images.LoadImageAsync(new ImageLoadParameters { Quiet = true }, archive, output, token);
            return output.Error is { } error
                ? throw new EngineException(
                    EngineFaults.Of(HttpStatusCode.BadRequest, error), $"Load of an image archive failed: Docker Engine says '{EngineFaults.Clean(error)}'.")
                : output.Loaded;
        }, cancellationToken);

    public Task TagImageAsync(string image, string reference, CancellationToken cancellationToken)
    {
        _ = ImageReference.Parse(image);
        var name = ImageReference.Parse(reference);
        return CallAsync($"Tag of '{image}' as '{reference}'", deadlines.Short, (call, token) =>
            call.Docker.Images.TagImageAsync(image, new ImageTagParameters { RepositoryName = name.Repository, Tag = name.Tag }, token), cancellationToken);
    }

    public Task<bool> RemoveImageAsync(string reference, CancellationToken cancellationToken)
    {
        _ = ImageReference.Parse(reference);
        return CallAsync($"Removal of image '{reference}'", deadlines.Short, async (call, token) =>
        {
            try
            {
                await call.Docker.Images.DeleteImageAsync(reference, new ImageDeleteParameters { Force = false }, token);
                return true;
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.NotFound)
            {
                return true;
            }
            catch (DockerApiException e) when (e.StatusCode is HttpStatusCode.Conflict)
            {
                return false;
            }
        }, cancellationToken);
    }

    private static async Task PullAsync(
        DockerClient docker, string reference, ImageReference image, RegistryCredential? credential, PullMonitor monitor, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, monitor.Stalled);
        var wanted = new ImagesCreateParameters { FromImage = image.Repository, Tag = image.TagOrDigest };
        try
        {
            await docker.Images.CreateImageAsync(wanted, AuthOf(image.Registry, credential), monitor, either.Token).WaitAsync(either.Token);
        }
        catch (DockerApiException e)
        {
            throw PullFailure(reference, e.StatusCode, EngineFaults.TextOf(e));
        }
        catch (OperationCanceledException) when (monitor.Stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFault.RegistryUnavailable,
                $"Pull of '{reference}' was given up: no progress for too long after '{EngineFaults.Clean(monitor.LastStatus)}'. Layers that are complete stay for the next attempt.");
        }

        if (monitor.Error is { } error)
        {
            throw PullFailure(reference, status: null, EngineFaults.Clean(error));
        }
    }

    private static EngineException PullFailure(string reference, HttpStatusCode? status, string text) =>
        new(EngineFaults.OfPull(status, text), $"Pull of '{reference}' failed: Docker Engine says '{text}'.");

    private static AuthConfig? AuthOf(string registry, RegistryCredential? credential) => credential is null ? null : new AuthConfig
    {
        Username = credential.User,
        Password = credential.Password,
        IdentityToken = credential.IdentityToken,
        ServerAddress = registry,
    };

    /// <summary>Reads <c>{"stream":"Loaded image: shop:1\n"}</c> and <c>{"stream":"Loaded image ID: sha256:…\n"}</c>.</summary>
    private sealed class LoadOutput : IProgress<JSONMessage>
    {
        private const string Marker = "Loaded image";
        private readonly List<string> _loaded = [];

        public IReadOnlyList<string> Loaded => _loaded;

        public string? Error { get; private set; }

        public void Report(JSONMessage value)
        {
            Error ??= value.Error?.Message;
            foreach (var line in (value.Stream ?? "").Split('\n').Where(line => line.StartsWith(Marker, StringComparison.Ordinal)))
            {
                _loaded.Add(line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Trim());
            }
        }
    }
}
