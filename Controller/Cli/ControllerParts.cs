using Microsoft.Extensions.Logging;
using Wunderproxy.Controller.Metering;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary>What a reconciler is made of.</summary>
/// <param name="Settings">Everything that <c>run</c> was told.</param>
/// <param name="Store">Where desired state comes from; perhaps not reached yet.</param>
/// <param name="Proxy">The Proxy's control API.</param>
/// <param name="Launcher">Starts a Proxy where none answers.</param>
/// <param name="Loggers">The log.</param>
/// <param name="Time">The clock.</param>
internal sealed record ControllerParts(
    RunSettings Settings, IObjectStore Store, IProxyControl Proxy, IProxyLauncher Launcher, ILoggerFactory Loggers, TimeProvider Time)
{
    /// <summary>The Proxy's part in automatic certificates; absent: there are none.</summary>
    public IProxyAcme? ProxyAcme { get; init; }

    /// <summary>Counts what the reconciler does.</summary>
    public ReconcilerCounts Counts { get; init; } = new();

    /// <summary>What else runs as long as the reconciler does.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Companions { get; init; } = [];
}
