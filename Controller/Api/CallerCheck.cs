using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Wunderproxy.Controller.Api;

/// <summary>Lets only callers on this host change something: through loopback, the host's own addresses, or the Unix socket.</summary>
internal static class CallerCheck
{
    private static readonly string[] ForwardingHeaders = ["Forwarded", "X-Forwarded-For"];

    /// <summary>Why the caller may not change anything; <see langword="null"/> if it may.</summary>
    public static string? RefusalOf(HttpContext context)
    {
        var connection = context.Connection;
        if (connection.RemoteIpAddress is not { } remote)
        {
            // A Unix socket: its file mode decides who may call.
            return null;
        }

        if (!IsThisHost(remote, connection.LocalIpAddress))
        {
            return $"Calls that change something are taken from this host only, and this one came from {remote}. Call it there, through ssh for instance: ssh HOST curl …";
        }

        return ForwardedRefusal(context.Request.Headers) ?? HostRefusal(context.Request.Host) ?? OriginRefusal(context.Request);
    }

    // A connection from one of the host's own addresses to itself has the same address at both ends; nobody else can complete one.
    private static bool IsThisHost(IPAddress remote, IPAddress? local) => IPAddress.IsLoopback(remote) || remote.Equals(local);

    private static string? ForwardedRefusal(IHeaderDictionary headers) => ForwardingHeaders.FirstOrDefault(headers.ContainsKey) is { } header
        ? $"Calls that change something are taken from this host only, and the header {header} says that this one was forwarded."
        : null;

    // A page whose own name was made to resolve to this host would send that name: DNS rebinding. It can't send an address.
    private static string? HostRefusal(HostString host)
    {
        var isOwn = !host.HasValue
            || IPAddress.TryParse(host.Host.Trim('[', ']'), out _)
            || string.Equals(host.Host, "localhost", StringComparison.OrdinalIgnoreCase)
            || string.Equals(host.Host, Environment.MachineName, StringComparison.OrdinalIgnoreCase);
        return isOwn
            ? null
            : $"Calls that change something must address this host as localhost, {Environment.MachineName} or by IP address; the Host header says {Shown(host.Value)}.";
    }

    private static string? OriginRefusal(HttpRequest request)
    {
        var origin = request.Headers[HeaderNames.Origin];
        var isOwn = StringValues.IsNullOrEmpty(origin) || origin == $"{request.Scheme}://{request.Host.Value}";
        return isOwn ? null : $"A page of {Shown(origin)} in a browser may not change anything here.";
    }

    private static string Shown(string? value) => string.Concat((value ?? "").Take(100).Select(c => c is > ' ' and <= '~' ? c : '?'));
}
