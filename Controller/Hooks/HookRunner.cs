using System.Text.Json;
using System.Threading.Channels;
using Polly;
using Polly.Retry;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Events;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Hooks;

/// <summary>
/// Tells hooks of each end of a deployment and of each move of traffic, in their order. Nothing waits for a hook: each has a queue of its own, and where that is full, calls are dropped.
/// What wasn't delivered when the Controller ends is lost.
/// </summary>
internal sealed partial class HookRunner : IDisposable
{
    /// <summary>Calls that wait for one hook at most.</summary>
    public const int MaxWaiting = 64;

    private const int Tries = 6;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly Func<IOperations> _operations;
    private readonly Func<Task> _started;
    private readonly string _application;
    private readonly IReadOnlyList<(IHook Hook, Channel<HookCall> Calls)> _hooks;
    private readonly ResiliencePipeline _pipeline;
    private readonly ILogger<HookRunner> _logger;
    private readonly IDisposable? _owned;

    /// <param name="operations">Says what happens; asked for once this runs.</param>
    /// <param name="started">Ends once there is something to say.</param>
    /// <param name="application">Name of the application.</param>
    /// <param name="hooks">Who is told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it is told that a hook wasn't.</param>
    /// <param name="owned">What the hooks share, and goes with this.</param>
    public HookRunner(Func<IOperations> operations, Func<Task> started, string application, IReadOnlyList<IHook> hooks, TimeProvider time, ILogger<HookRunner> logger, IDisposable? owned = null)
    {
        (_operations, _started, _application, _logger, _owned) = (operations, started, application, logger, owned);
        _hooks = [.. hooks.Select(hook => (hook, Channel.CreateBounded<HookCall>(MaxWaiting)))];
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is HookException { IsWorthAnotherTry: true }),
                MaxRetryAttempts = Tries - 1,
                Delay = FirstPause,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .Build();
    }

    /// <summary>The runner of the hooks that were set.</summary>
    public static HookRunner Of(HookSettings settings, Func<IOperations> operations, Func<Task> started, string application, TimeProvider time, ILogger<HookRunner> logger)
    {
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };
        IHook[] hooks = [.. settings.Webhooks.Select(address => new Webhook(http, address, settings.Secret!, time)), .. settings.Programs.Select(path => new HookProgram(path, time))];
        return new HookRunner(operations, started, application, hooks, time, logger, http);
    }

    public void Dispose() => _owned?.Dispose();

    /// <summary>Tells them, until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken) =>
        await Task.WhenAll(_hooks.Select(hook => TellAsync(hook.Hook, hook.Calls.Reader, cancellationToken)).Append(FollowAsync(cancellationToken)));

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await _started().WaitAsync(cancellationToken);
        var operations = _operations();
        for (var told = operations.Status; ;)
        {
            // Asked for before the status is read, so that no change falls in between.
            var next = operations.NextStatus;
            var status = operations.Status;
            foreach (var happened in HostEvents.Between(told, status).Where(e => e.Event is HostEventKind.DeploymentEnded or HostEventKind.TrafficSwitched))
            {
                Queue(new HookCall(_application, Environment.MachineName, happened));
            }

            told = status;
            await next.WaitAsync(cancellationToken);
        }
    }

    private void Queue(HookCall call)
    {
        foreach (var (hook, calls) in _hooks)
        {
            if (!calls.Writer.TryWrite(call))
            {
                LogDropped(call.Event.Event, call.Event.Hash, hook.Name, MaxWaiting);
            }
        }
    }

    private async Task TellAsync(IHook hook, ChannelReader<HookCall> calls, CancellationToken cancellationToken)
    {
        await foreach (var call in calls.ReadAllAsync(cancellationToken))
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(call, ContractsJson.Default.HookCall);
            try
            {
                await _pipeline.ExecuteAsync(async token => await hook.TellAsync(call, json, token), cancellationToken);
                LogTold(hook.Name, call.Event.Event, call.Event.Hash);
            }
            catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // Whatever is wrong with a hook, the Controller goes on.
                LogNotTold(call.Event.Event, call.Event.Hash, hook.Name, e.Message);
            }
        }
    }

    [LoggerMessage(370, LogLevel.Debug, "Told {Hook} of {Event} of {Hash}")]
    private partial void LogTold(string hook, HostEventKind @event, string hash);

    [LoggerMessage(371, LogLevel.Warning, "Did not tell of {Event} of {Hash} to {Hook}: {Reason}. Deployments go on without it")]
    private partial void LogNotTold(HostEventKind @event, string hash, string hook, string reason);

    [LoggerMessage(372, LogLevel.Warning, "Dropped {Event} of {Hash} for {Hook}, for which {Count} wait already")]
    private partial void LogDropped(HostEventKind @event, string hash, string hook, int count);
}
