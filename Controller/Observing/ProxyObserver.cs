using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Observing;

/// <summary>Asks the Proxy how it serves.</summary>
internal sealed partial class ProxyObserver(IProxyControl proxy, ILogger logger)
{
    private bool _isLost;

    /// <summary>The Proxy as a whole.</summary>
    public async Task<Fact<ProxyStatus>> ObserveAsync(CancellationToken cancellationToken)
    {
        try
        {
            var status = await proxy.GetStatusAsync(cancellationToken);
            if (_isLost)
                LogFound(status.ProcessId);
            _isLost = false;
            return new Fact<ProxyStatus>.Known(status);
        }
        catch (ProxyException exception)
        {
            if (!_isLost)
                LogLost(exception.Message);
            _isLost = true;
            return new Fact<ProxyStatus>.Unknown(exception.Message);
        }
    }

    [LoggerMessage(312, LogLevel.Information, "Reached the Proxy, process {ProcessId}")]
    private partial void LogFound(int processId);

    [LoggerMessage(313, LogLevel.Warning, "Lost the Proxy; no traffic is moved and nothing is stopped until it is back. {Reason}")]
    private partial void LogLost(string reason);
}
