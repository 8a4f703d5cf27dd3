using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Observing;

/// <summary>Asks the Proxy how it serves; beside the loop, so that one that hangs delays nothing else: then it counts as unknown.</summary>
/// <param name="proxy">The Proxy.</param>
/// <param name="wake">Called when a Proxy that had kept silent has answered, or is given up.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is told that the Proxy is lost and found.</param>
internal sealed partial class ProxyObserver(IProxyControl proxy, Action wake, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    private Task<Fact<ProxyStatus>> _asking = Task.FromResult<Fact<ProxyStatus>>(new Fact<ProxyStatus>.Unknown(""));
    private bool _isLost;

    /// <summary>The Proxy as a whole.</summary>
    public async Task<Fact<ProxyStatus>> ObserveAsync(CancellationToken cancellationToken)
    {
        var fact = await AnswerAsync(cancellationToken);
        if (fact is Fact<ProxyStatus>.Known found && _isLost)
            LogFound(found.Value.ProcessId);
        if (fact is Fact<ProxyStatus>.Unknown lost && !_isLost)
            LogLost(lost.Reason);
        _isLost = fact is Fact<ProxyStatus>.Unknown;
        return fact;
    }

    // An answer to an earlier question may tell what was before the latest effect: it is only a reason to ask anew.
    private async Task<Fact<ProxyStatus>> AnswerAsync(CancellationToken cancellationToken)
    {
        var isFresh = _asking.IsCompleted;
        if (isFresh)
            _asking = AskAsync(cancellationToken);
        try
        {
            var answer = await _asking.WaitAsync(Patience, time, cancellationToken);
            if (isFresh)
                return answer;
        }
        catch (TimeoutException)
        {
            if (isFresh)
                _ = WakeAfterAsync(_asking);
        }

        return new Fact<ProxyStatus>.Unknown($"The Proxy takes calls, but hasn't answered for {Patience.TotalSeconds} s.");
    }

    private async Task WakeAfterAsync(Task asking)
    {
        await asking;
        wake();
    }

    private async Task<Fact<ProxyStatus>> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new Fact<ProxyStatus>.Known(await proxy.GetStatusAsync(cancellationToken));
        }
        catch (ProxyException exception)
        {
            return new Fact<ProxyStatus>.Unknown(exception.Message);
        }
    }

    [LoggerMessage(312, LogLevel.Information, "Reached the Proxy, process {ProcessId}")]
    private partial void LogFound(int processId);

    [LoggerMessage(313, LogLevel.Warning, "Lost the Proxy; no traffic is moved and nothing is stopped until it is back. {Reason}")]
    private partial void LogLost(string reason);
}
