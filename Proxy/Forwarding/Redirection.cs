using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Sends requests to the address of the application that counts.</summary>
internal static class Redirection
{
    private const string Www = "www.";

    /// <summary>Where a request is sent to; absent: it is where it belongs, or is one that is never sent elsewhere.</summary>
    public static Problem? Of(Exchange exchange, Serving serving)
    {
        var request = exchange.Context.Request;
        if (serving.Routing.Redirect is not { } redirect || serving.IsHealthCheck(RequestChecks.PlaceOf(exchange.Context)))
        {
            return null;
        }

        return LocationOf(redirect, serving.Routing, exchange.Scheme, request.Host.Value, RequestChecks.OriginFormOf(RequestChecks.RawTargetOf(exchange.Context))) is { } location
            ? Problem.MovedTo(location, keepsMethod: !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            : null;
    }

    /// <summary>The address that counts.</summary>
    /// <param name="redirect">Which addresses don't count.</param>
    /// <param name="routing">The names of the application.</param>
    /// <param name="scheme">What the client used.</param>
    /// <param name="host">What it asked for, perhaps with a port; a client of HTTP/1.0 may say none, and is left where it is.</param>
    /// <param name="target">Path and query, as they were sent.</param>
    /// <returns>Absent: it is where it was sent.</returns>
    public static string? LocationOf(Redirect redirect, Routing routing, string scheme, ReadOnlySpan<char> host, ReadOnlySpan<char> target)
    {
        if (host.IsEmpty || target.StartsWith(AcmeChallenge.Path, StringComparison.Ordinal))
        {
            return null;
        }

        var name = RequestPlace.WithoutPort(host);
        var port = host[name.Length..];
        var isSecured = redirect.Https && scheme is "http";
        var counts = NameOf(redirect.Www, routing, name.TrimEnd('.'));
        if (!isSecured && counts is null)
        {
            return null;
        }

        var slash = target.StartsWith("/", StringComparison.Ordinal) ? "" : "/";
        return $"{(isSecured ? "https" : scheme)}://{(counts is null ? name : counts)}{(isSecured ? "" : port)}{slash}{target}";
    }

    // Absent: the name that was asked for.
    private static string? NameOf(WwwRedirect www, Routing routing, ReadOnlySpan<char> name) => www switch
    {
        WwwRedirect.Remove when name.StartsWith(Www, StringComparison.OrdinalIgnoreCase) && routing.Names(name[Www.Length..]) => name[Www.Length..].ToString(),
        WwwRedirect.Add when !name.StartsWith(Www, StringComparison.OrdinalIgnoreCase) && $"{Www}{name}" is var longer && routing.Names(longer) => longer,
        _ => null,
    };
}
