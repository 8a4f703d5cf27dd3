using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>What an application wants of clients that speak TLS with the Proxy.</summary>
/// <remarks>Certificates that aren't automatic are none of this: they are files of the host, and name the hosts that they are for themselves.</remarks>
public sealed record TlsSettings
{
    /// <summary>What tells browsers to use HTTPS only from now on (RFC 6797); absent: nothing does. An application's own <c>Strict-Transport-Security</c> comes first.</summary>
    public Hsts? Hsts { get; set; }

    /// <summary>Whether clients show a certificate of theirs, issued by an authority that the Proxy was told.</summary>
    public ClientCertificates ClientCertificates { get; set; }

    /// <summary>Which certificates the Controller obtains (RFC 8555).</summary>
    public AutomaticCertificates Automatic { get; set; }
}

/// <summary>The header <c>Strict-Transport-Security</c>.</summary>
public sealed record Hsts
{
    /// <summary>Longest time that is taken: ten years.</summary>
    public const int LongestDays = 3650;

    /// <summary>Shortest time with which browsers take a host into their lists.</summary>
    public const int PreloadDays = 365;

    /// <summary>For how many days a browser keeps to it, counted anew at each answer, up to 3650; 0: it forgets it at once.</summary>
    public int MaxAgeDays { get; set; } = PreloadDays;

    /// <summary>Whether it holds for every name below the host's, too.</summary>
    public bool IncludeSubdomains { get; set; }

    /// <summary>Whether browsers may take the host into the lists that they come with; it needs <see cref="IncludeSubdomains"/> and a year, and can hardly be taken back.</summary>
    public bool Preload { get; set; }

    /// <summary>Whether <see cref="Preload"/> is set without what it needs.</summary>
    [JsonIgnore]
    public bool IsPreloadedInVain => Preload && !(IncludeSubdomains && MaxAgeDays >= PreloadDays);

    /// <summary>The header's value.</summary>
    public string ToHeader() => $"max-age={MaxAgeDays * 86_400L}{(IncludeSubdomains ? "; includeSubDomains" : "")}{(Preload ? "; preload" : "")}";
}

/// <summary>Whether clients show a certificate of theirs.</summary>
public enum ClientCertificates
{
    /// <summary>They aren't asked.</summary>
    None,

    /// <summary>They are asked. Its subject is told to the application in <c>X-Forwarded-Client-Subject</c>.</summary>
    Optional,

    /// <summary>They are asked, and those who show none get 403.</summary>
    Required,
}

/// <summary>Which certificates the Controller obtains.</summary>
public enum AutomaticCertificates
{
    /// <summary>None: they are files of the host.</summary>
    None,

    /// <summary>One for each of <see cref="Routing.Hosts"/>, of which none may be a wildcard.</summary>
    Hosts,

    /// <summary>These, and one for each other name that clients ask for, if it is among the application's hosts and the Controller was told that it may be obtained.</summary>
    OnDemand,
}
