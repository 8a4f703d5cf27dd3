using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Wunderproxy.Controller.Api;

/// <summary>
/// Decides who may change something. Without a token those who call from this host: through loopback, the host's own addresses, or the Unix socket; no page of another site in a browser that
/// runs here, though. With a token those who show it, from wherever they come; a page of another site can't. The Unix socket needs none: its file mode decides.
/// </summary>
/// <param name="token">The token; absent: none is asked for.</param>
internal sealed class CallerCheck(ApiToken? token)
{
    private static readonly string[] ForwardingHeaders = ["Forwarded", "X-Forwarded-For"];
    private static readonly string[] OwnSites = ["same-origin", "none"];

    /// <summary>A call that only those make who may.</summary>
    public RequestDelegate Guarding(RequestDelegate call) => context => RefusalOf(context) is { } refusal ? throw new ProblemException(Problems.Forbidden(refusal)) : call(context);

    /// <summary>Why the caller may not change anything; <see langword="null"/> if it may.</summary>
    public Refused? RefusalOf(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } remote)
        {
            return null;
        }

        return token is null
            ? PlaceRefusal(remote, context) is { } reason ? new Refused(CallerRefusal.Place, reason) : null
            : TokenRefusal(context.Request.Headers.Authorization, token) is { } problem ? new Refused(CallerRefusal.Token, problem) : null;
    }

    private static string? TokenRefusal(string? shown, ApiToken token) => shown switch
    {
        _ when token.IsShownIn(shown) => null,
        null or "" => "Calls that change something need this Controller's token, and this one has none. Send it as Authorization: Bearer TOKEN; it is in the file that the Controller was given as --api-token-file.",
        _ => "The token that was sent is not this Controller's. It is in the file that the Controller was given as --api-token-file.",
    };

    private static string? PlaceRefusal(IPAddress remote, HttpContext context) => IsThisHost(remote, context.Connection.LocalIpAddress)
        ? ForwardedRefusal(context.Request.Headers) ?? HostRefusal(context.Request.Host) ?? SiteRefusal(context.Request)
        : $"Calls that change something are taken from this host only, and this one came from {remote}. Call it there, through ssh for instance: ssh HOST curl …; or give the Controller an --api-token-file.";

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

    // Browsers say where a request comes from, in Origin and in Sec-Fetch-Site, and no page can change either. Other programs send neither.
    private static string? SiteRefusal(HttpRequest request)
    {
        var origin = request.Headers[HeaderNames.Origin];
        var site = request.Headers["Sec-Fetch-Site"];
        if (!StringValues.IsNullOrEmpty(origin) && origin != $"{request.Scheme}://{request.Host.Value}")
        {
            return $"A page of {Shown(origin)} in a browser may not change anything here.";
        }

        return StringValues.IsNullOrEmpty(site) || OwnSites.Contains(site.ToString(), StringComparer.Ordinal)
            ? null
            : "A page of another site in a browser may not change anything here.";
    }

    private static string Shown(string? value) => string.Concat((value ?? "").Take(100).Select(c => c is > ' ' and <= '~' ? c : '?'));

    /// <summary>Why a caller may not change anything.</summary>
    /// <param name="Kind">The kind, which decides the HTTP status.</param>
    /// <param name="Reason">What is so, and what to do.</param>
    public sealed record Refused(CallerRefusal Kind, string Reason);
}

/// <summary>Why a caller may not change anything.</summary>
internal enum CallerRefusal
{
    /// <summary>It isn't on this host (403).</summary>
    Place,

    /// <summary>It doesn't show the token (401).</summary>
    Token,
}
