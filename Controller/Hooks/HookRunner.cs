using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Polly;
using Polly.Retry;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Hooks;

/// <summary>
/// Tells hooks of each end of a deployment and of each move of traffic, in their order. Nothing waits for a hook: each has a queue of its own, and where that is full, calls are dropped.
/// What wasn't told when the Controller ended, and what happened while its hooks weren't looked after, is told after its next start: at least once each.
/// </summary>
internal sealed partial class HookRunner : IDisposable
{
    private const int Tries = 6;
    private const int DeliveryBytes = 16;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly Func<IOperations> _operations;
    private readonly Func<Task> _started;
    private readonly string _application;
    private readonly IReadOnlyList<(IHook Hook, Channel<HookCall> Calls)> _hooks;
    private readonly HookLedger _ledger;
    private readonly ResiliencePipeline _pipeline;
    private readonly ILogger<HookRunner> _logger;
    private readonly IDisposable? _owned;

    /// <param name="operations">Says what happens; asked for once this runs.</param>
    /// <param name="started">Ends once there is something to say.</param>
    /// <param name="application">Name of the application.</param>
    /// <param name="hooks">Who is told.</param>
    /// <param name="path">File in which it is kept what they are still to be told.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where it is told that a hook wasn't.</param>
    /// <param name="owned">What the hooks share, and goes with this.</param>
    public HookRunner(Func<IOperations> operations, Func<Task> started, string application, IReadOnlyList<IHook> hooks, string path, TimeProvider time, ILogger<HookRunner> logger, IDisposable? owned = null)
    {
        (_operations, _started, _application, _logger, _owned) = (operations, started, application, logger, owned);
        _hooks = [.. hooks.Select(hook => (hook, Channel.CreateBounded<HookCall>(HookLedger.MaxWaiting)))];
        _ledger = new HookLedger(path, [.. hooks.Select(hook => hook.Key).Distinct()], PosixFileSystem.Instance, logger);
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
    public static HookRunner Of(HookSettings settings, Func<IOperations> operations, Func<Task> started, string application, string path, TimeProvider time, ILogger<HookRunner> logger)
    {
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };
        IHook[] hooks = [.. settings.Webhooks.Select(address => new Webhook(http, address, settings.Secret!, time)), .. settings.Programs.Select(path => new HookProgram(path, time))];
        return new HookRunner(operations, started, application, hooks, path, time, logger, http);
    }

    public void Dispose() => _owned?.Dispose();

    /// <summary>Tells them, until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var (hook, calls) in _hooks)
        {
            Queue(hook, calls, _ledger.WaitingFor(hook.Key));
        }

        await Task.WhenAll(_hooks.Select(hook => TellAsync(hook.Hook, hook.Calls.Reader, cancellationToken)).Append(FollowAsync(cancellationToken)));
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await _started().WaitAsync(cancellationToken);
        var operations = _operations();
        for (var seen = _ledger.Seen; ;)
        {
            // Asked for before the status is read, so that no change falls in between.
            var next = operations.NextStatus;
            var status = operations.Status;
            var now = SeenHost.Of(status);
            HookCall[] calls = [.. (seen ?? now).Until(status).Select(CallOf)];
            if (calls.Length > 0 || seen is null)
            {
                Add(now, calls);
            }

            seen = now;
            await next.WaitAsync(cancellationToken);
        }
    }

    // On the disk before anybody is told, so that nothing is told twice by two ways.
    private void Add(SeenHost seen, IReadOnlyList<HookCall> calls)
    {
        _ledger.Add(seen, calls);
        foreach (var (hook, queue) in _hooks)
        {
            Queue(hook, queue, calls);
        }
    }

    private void Queue(IHook hook, Channel<HookCall> queue, IReadOnlyList<HookCall> calls)
    {
        foreach (var call in calls.Where(call => !queue.Writer.TryWrite(call)))
        {
            LogDropped(call.Event.Event, call.Event.Hash, hook.Name, HookLedger.MaxWaiting);
        }
    }

    private HookCall CallOf(HostEvent happened)
    {
        var host = Environment.MachineName;
        var name = string.Create(CultureInfo.InvariantCulture, $"{_application}/{host}/{happened.Event}/{happened.Deployment}/{happened.End}/{happened.Hash}/{happened.At.UtcTicks}");
        return new HookCall(_application, host, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, DeliveryBytes)), happened);
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

            _ledger.Remove(hook.Key, call);
        }
    }

    [LoggerMessage(370, LogLevel.Debug, "Told {Hook} of {Event} of {Hash}")]
    private partial void LogTold(string hook, HostEventKind @event, string hash);

    [LoggerMessage(371, LogLevel.Warning, "Did not tell of {Event} of {Hash} to {Hook}: {Reason}. Deployments go on without it")]
    private partial void LogNotTold(HostEventKind @event, string hash, string hook, string reason);

    [LoggerMessage(372, LogLevel.Warning, "Dropped {Event} of {Hash} for {Hook}, for which {Count} wait already")]
    private partial void LogDropped(HostEventKind @event, string hash, string hook, int count);
}
