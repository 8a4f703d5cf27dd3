using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Removes the headers that a <c>Connection</c> header nominates: they are meant for the next hop only, which is us.</summary>
/// <remarks>
/// The standard hop-by-hop headers themselves (Connection, Keep-Alive, Transfer-Encoding …) are left out when it is sent on. A nomination
/// never removes what decides about access, the origin of a request or the length of a message.
/// Source: RFC 9110, section 7.6.1.
/// </remarks>
internal static class ConnectionHeader
{
    private static readonly HashSet<string> NeverRemoved = new(StringComparer.OrdinalIgnoreCase)
    {
        "close", "keep-alive", "upgrade", "connection", "host", "authorization", "cookie", "set-cookie", "www-authenticate",
        "content-length", "content-type", "content-encoding", "transfer-encoding", "trailer", "te", "expect", "date", "location",
    };

    /// <summary>Whether the client wants its connection to be closed, where Kestrel doesn't see it: see <see cref="ConnectionHeaderEncoding"/>.</summary>
    public static bool AsksForClose(HttpRequest request) =>
        request.Headers.Connection is { Count: > 0 } connection
        && (connection.ToString().Contains(ConnectionHeaderEncoding.MarkedClose, StringComparison.Ordinal)
            || (request.Protocol == HttpProtocol.Http10 && connection.ToString().Contains("upgrade", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Removes what a request's <c>Connection</c> header nominates, and what can't be asked for so: upgrades other than by GET, and in HTTP/1.0 neither those nor expectations.</summary>
    public static void Apply(HttpRequest request)
    {
        var headers = request.Headers;
        if (request.Protocol == HttpProtocol.Http10)
        {
            headers.Remove("Expect");
        }

        // Every protocol in use is asked for by GET; other methods may have a body.
        if (request.Protocol == HttpProtocol.Http10 || !HttpMethods.IsGet(request.Method))
        {
            headers.Remove("Upgrade");
        }

        foreach (var value in headers.Connection)
        {
            Remove(headers, value);
        }
    }

    /// <summary>Whether an answer's header wants the connection to be closed behind it.</summary>
    public static bool SaysClose(string value) =>
        value.Equals("close", StringComparison.OrdinalIgnoreCase)
        || (value.Contains(',', StringComparison.Ordinal) && value.Split(',', StringSplitOptions.TrimEntries).Contains("close", StringComparer.OrdinalIgnoreCase));

    /// <summary>Removes from headers what a <c>Connection</c> header nominates.</summary>
    public static void Remove(IHeaderDictionary headers, string? connection)
    {
        foreach (var name in NominatedBy(connection))
        {
            headers.Remove(name);
        }
    }

    private static IEnumerable<string> NominatedBy(string? value) =>
        IsPlain(value) ? [] : value!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Where(IsRemoved);

    private static bool IsPlain(string? value) => string.IsNullOrEmpty(value) || NeverRemoved.Contains(value);

    private static bool IsRemoved(string name) =>
        !NeverRemoved.Contains(name) && !name.StartsWith("x-forwarded-", StringComparison.OrdinalIgnoreCase);
}
