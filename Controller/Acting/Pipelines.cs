using Polly;
using Polly.Retry;
using Polly.Timeout;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Acting;

/// <summary>
/// How calls are repeated: only briefly, within one effect, and only where the call surely had no effect or is safe to repeat. Longer pauses are
/// the plan's business, for they must not hold a worker. The engine's and the Proxy's clients have deadlines of their own for each try.
/// </summary>
internal sealed class Pipelines(TimeProvider time, Random random)
{
    /// <summary>Engine calls that are safe to repeat: start, stop, remove, inspect, network.</summary>
    public ResiliencePipeline Repeatable { get; } = Build(
        time, random, tries: 3, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(10),
        exception => exception is EngineException { Fault: EngineFault.Unreachable or EngineFault.EngineError });

    /// <summary>The creation of a container: repeated only where the request never reached the engine.</summary>
    public ResiliencePipeline Create { get; } = Build(
        time, random, tries: 3, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(2),
        exception => exception is EngineException { Fault: EngineFault.Unreachable });

    /// <summary>Pulls and loads: a registry that is away for a moment is asked again.</summary>
    public ResiliencePipeline Pull { get; } = Build(
        time, random, tries: 2, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30),
        exception => exception is EngineException { Fault: EngineFault.RegistryUnavailable });

    /// <summary>Calls to the Proxy: repeated only where it wasn't reached.</summary>
    public ResiliencePipeline Proxy { get; } = Build(
        time, random, tries: 3, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(6),
        exception => exception is ProxyException { Fault: ProxyFault.Unreachable });

    /// <summary>Carries a call out through a pipeline, and goes on where the caller was: a caller with a thread of its own stays on it.</summary>
    public static async Task<T> ExecuteAsync<T>(ResiliencePipeline pipeline, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellationToken);
        try
        {
            return await pipeline.ExecuteAsync(async inner => await call(inner.CancellationToken), context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The same for a call without a result.</summary>
    public static Task ExecuteAsync(ResiliencePipeline pipeline, Func<CancellationToken, Task> call, CancellationToken cancellationToken) => ExecuteAsync(
        pipeline,
        async token =>
        {
            await call(token);
            return true;
        },
        cancellationToken);

    private static ResiliencePipeline Build(TimeProvider time, Random random, int tries, TimeSpan pause, TimeSpan total, Func<Exception, bool> isTransient) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(new TimeoutStrategyOptions { Timeout = total })
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } exception && isTransient(exception)),
                MaxRetryAttempts = tries - 1,
                Delay = pause,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Randomizer = random.NextDouble,
            })
            .Build();
}
