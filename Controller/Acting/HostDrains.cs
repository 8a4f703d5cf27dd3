using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Acting;

/// <summary>Takes the host out of service at an operator's word, or brings it back. It is the Proxy's to keep, for it serves all applications of the host.</summary>
/// <param name="proxy">The Proxy.</param>
/// <param name="wake">Called when it has changed.</param>
internal sealed class HostDrains(IProxyControl proxy, Action wake)
{
    public async Task<Admission> SetAsync(bool isDrained, CancellationToken cancellationToken)
    {
        try
        {
            if (await proxy.SetHostDrainAsync(isDrained, cancellationToken) is { } problem)
            {
                return new Admission.Refused(Refusal.NotDurable, $"The Proxy refused: {problem.Detail ?? problem.Title}");
            }

            wake();
            return new Admission.Accepted(null);
        }
        catch (ProxyException e)
        {
            return new Admission.Refused(Refusal.ProxyUnavailable, e.Message);
        }
    }
}
