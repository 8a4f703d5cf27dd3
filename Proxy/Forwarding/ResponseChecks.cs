using System.Net;
using System.Net.Http.Headers;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Refuses heads of answers that can't be sent on as they are, or that answer something that wasn't asked.</summary>
internal static class ResponseChecks
{
    /// <summary>Whether status, reason and headers are such as HTTP knows.</summary>
    public static bool IsValid(HttpResponseMessage response) =>
        (int)response.StatusCode is >= 100 and <= 999
        && !RequestChecks.HasControls(response.ReasonPhrase)
        && AreValid(response.Headers)
        && AreValid(response.Content.Headers);

    /// <summary>Whether every name is a token and no value has control characters but tabs.</summary>
    public static bool AreValid(HttpHeaders headers)
    {
        foreach (var header in headers.NonValidated)
        {
            foreach (var value in header.Value)
            {
                if (!RequestChecks.IsValid(header.Key, value))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Whether the connection is to change to a protocol that the client hasn't asked for.</summary>
    public static bool IsUnaskedUpgrade(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols
        && !(response.Headers.NonValidated.TryGetValues("Upgrade", out var chosen)
            && response.RequestMessage!.Headers.NonValidated.TryGetValues("Upgrade", out var asked)
            && string.Equals(chosen.ToString(), asked.ToString(), StringComparison.OrdinalIgnoreCase));
}
