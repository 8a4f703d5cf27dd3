using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>Starts the Proxy again where it has been away for longer than its own supervisor, if any, would take.</summary>
internal sealed partial class ProxyKeeper(IProxyControl proxy, IProxyLauncher launcher, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private const int MissesAllowed = 2;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var misses = 0;
        while (true)
        {
            await Task.Delay(Interval, time, cancellationToken);
            misses = await AnswersAsync(cancellationToken) ? 0 : misses + 1;
            if (misses <= MissesAllowed)
                continue;
            misses = 0;
            await StartAsync(cancellationToken);
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await proxy.GetStatusAsync(cancellationToken);
            return true;
        }
        catch (ProxyException)
        {
            return false;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await launcher.EnsureRunningAsync(cancellationToken))
                LogStarted();
        }
        catch (ProxyLaunchException exception)
        {
            LogNotStarted(exception.Message);
        }
    }

    [LoggerMessage(341, LogLevel.Warning, "Started the Proxy again, for none answered")]
    private partial void LogStarted();

    [LoggerMessage(342, LogLevel.Error, "Could not start the Proxy; it is tried again. {Reason}")]
    private partial void LogNotStarted(string reason);
}
