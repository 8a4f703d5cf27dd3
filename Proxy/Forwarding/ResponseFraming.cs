using System.Net;
using Microsoft.AspNetCore.Http;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Where an application's answer ends. An answer whose end could be seen in two places could smuggle another one in.</summary>
internal static class ResponseFraming
{
    /// <summary>Whether there is one way only to read where the body ends: one length, or chunks, or the end of the connection.</summary>
    public static bool IsClear(HttpResponseMessage response)
    {
        var lengths = response.Content.Headers.NonValidated.TryGetValues("Content-Length", out var length) ? length.Count : 0;
        if (!response.Headers.NonValidated.TryGetValues("Transfer-Encoding", out var encoding))
        {
            return lengths <= 1;
        }

        return lengths == 0 && encoding.Count == 1 && response.Version >= HttpVersion.Version11
            && string.Equals(encoding.ToString(), "chunked", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Removes the length from answers that never have a body, where some applications send one.</summary>
    public static void DropLengthWhereThereIsNoBody(HttpResponse response)
    {
        if (response.StatusCode is StatusCodes.Status101SwitchingProtocols or StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent)
        {
            response.Headers.ContentLength = null;
        }
    }
}
