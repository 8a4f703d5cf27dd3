namespace Wunderproxy.Controller.ProxyClient;

/// <summary>Starts a Proxy where none answers.</summary>
internal interface IProxyLauncher
{
    /// <summary>Returns once a Proxy answers, which may be one that runs already.</summary>
    /// <param name="cancellationToken">Ends the wait, and a Proxy that was started and doesn't answer yet.</param>
    /// <returns>Whether one was started.</returns>
    /// <exception cref="ProxyLaunchException">None answers 10 s after the start, or it ended before.</exception>
    Task<bool> EnsureRunningAsync(CancellationToken cancellationToken);
}
