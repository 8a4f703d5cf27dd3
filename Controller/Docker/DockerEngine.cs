using System.Text.Json;
using global::Docker.DotNet;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.Controller.Docker;

/// <summary>The Docker Engine, through Docker.DotNet and, where that can't hand a body over as it is, through plain requests of the same kind.</summary>
/// <param name="endpoint">Where it listens.</param>
/// <param name="credentials">For pulls.</param>
/// <param name="deadlines">Of the calls.</param>
/// <param name="time">Clock of the deadlines.</param>
/// <param name="logger">Quiet above Debug.</param>
internal sealed partial class DockerEngine(
    EngineEndpoint endpoint, RegistryCredentials credentials, EngineDeadlines deadlines, TimeProvider time, ILogger<DockerEngine> logger) : IContainerEngine
{
    /// <summary>The newest version that this code knows: Docker Engine 29.</summary>
    private static readonly Version NewestApi = new(1, 52);

    /// <summary>Docker Engine 20.10.</summary>
    private static readonly Version OldestApi = new(1, 41);

    private volatile Version? _apiVersion;

    public async Task<EngineInfo> GetInfoAsync(CancellationToken cancellationToken)
    {
        // An engine that was upgraded speaks another version by now.
        _apiVersion = null;
        return await CallAsync("Look at the engine", deadlines.Short, async (call, token) =>
        {
            var info = await call.Docker.System.GetSystemInfoAsync(token);
            return new EngineInfo(info.ServerVersion, call.ApiVersion.ToString(), info.LiveRestoreEnabled, info.Driver);
        }, cancellationToken);
    }

    private async Task CallAsync(string what, TimeSpan deadline, Func<EngineCall, CancellationToken, Task> act, CancellationToken cancellationToken) =>
        await CallAsync(what, deadline, async (call, token) =>
        {
            await act(call, token);
            return true;
        }, cancellationToken);

    private async Task<T> CallAsync<T>(string what, TimeSpan deadline, Func<EngineCall, CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        using var connection = new EngineConnection(endpoint, deadlines.Connect, time);
        return await CallAsync(what, deadline, connection, act, cancellationToken);
    }

    /// <summary>One call: a connection, a deadline, and every failure as an <see cref="EngineException"/> that says whether it may have happened.</summary>
    private async Task<T> CallAsync<T>(
        string what, TimeSpan deadline, EngineConnection connection, Func<EngineCall, CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var start = time.GetTimestamp();
        try
        {
            var apiVersion = _apiVersion ??= await NegotiateAsync(either.Token);

            // Docker.DotNet reads the body of an error without the token, so the wait must end from outside.
            return await act(new EngineCall(connection, connection.Client(apiVersion), apiVersion), either.Token).WaitAsync(either.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var failure = e as EngineException ?? Translate(what, deadline, connection, e);
            if (failure.Fault is EngineFault.Unreachable or EngineFault.Ambiguous)
            {
                _apiVersion = null;
            }

            logger.Failed(what, failure.Fault, time.GetElapsedTime(start).TotalMilliseconds);
            throw failure;
        }
    }

    /// <summary>Finds out the version to speak: the smaller of both sides' newest.</summary>
    /// <remarks>It has a connection of its own, so whatever fails here, the call itself was never sent.</remarks>
    private async Task<Version> NegotiateAsync(CancellationToken cancellationToken)
    {
        using var connection = new EngineConnection(endpoint, deadlines.Connect, time);
        try
        {
            var answer = await connection.Client(apiVersion: null).System.GetVersionAsync(cancellationToken).WaitAsync(cancellationToken);
            var newest = Version.TryParse(answer.APIVersion, out var version) ? version : new Version(0, 0);
            if (newest < OldestApi)
            {
                throw new EngineException(EngineFault.EngineError,
                    $"Docker Engine {answer.Version} at {endpoint.Address} speaks API {answer.APIVersion}, but at least {OldestApi} is needed; upgrade it to 20.10 or newer.");
            }

            var spoken = newest < NewestApi ? newest : NewestApi;
            logger.Reached(answer.Version, endpoint.Address, spoken);
            return spoken;
        }
        catch (Exception e) when (e is not EngineException)
        {
            throw new EngineException(EngineFault.Unreachable, NotReached(connection, e), e);
        }
    }

    private EngineException Translate(string what, TimeSpan deadline, EngineConnection connection, Exception failure) => failure switch
    {
        DockerApiException answer when EngineFaults.TextOf(answer) is var text =>
            new EngineException(EngineFaults.Of(answer.StatusCode, text), $"{what} failed: Docker Engine answered {(int)answer.StatusCode} '{text}'.", failure),
        _ when !connection.Reached => new EngineException(EngineFault.Unreachable, NotReached(connection, failure), failure),
        OperationCanceledException => new EngineException(EngineFault.Ambiguous,
            $"{what} was sent, but Docker Engine didn't answer within {deadline.TotalSeconds:0.#} s: it may have happened, or may still.", failure),
        JsonException => new EngineException(EngineFault.EngineError, $"{what} failed: the answer of Docker Engine wasn't understood: {EngineFaults.Clean(failure.Message)}", failure),
        _ => new EngineException(EngineFault.Ambiguous,
            $"{what} was sent, but the connection to Docker Engine broke before its answer: {EngineFaults.Clean(failure.GetBaseException().Message)} It may have happened.", failure),
    };

    private string NotReached(EngineConnection connection, Exception failure) =>
        $"Docker Engine isn't reached at {endpoint.Address}: {Reason(connection, failure)}; start it, or give the right socket with --docker.";

    private string Reason(EngineConnection connection, Exception failure) => connection switch
    {
        { Reached: false } => endpoint.Explain(connection.ConnectFailure ?? failure),
        _ when failure is OperationCanceledException => "it takes connections, but doesn't answer",
        _ => EngineFaults.Clean(failure.GetBaseException().Message),
    };

    /// <summary>What a call works with.</summary>
    /// <param name="Connection">For what Docker.DotNet doesn't offer.</param>
    /// <param name="Docker">Docker.DotNet over that kind of connection.</param>
    /// <param name="ApiVersion">The version that is spoken.</param>
    private sealed record EngineCall(EngineConnection Connection, DockerClient Docker, Version ApiVersion);
}
