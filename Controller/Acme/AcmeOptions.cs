using System.Security.Cryptography.X509Certificates;

namespace Wunderproxy.Controller.Acme;

/// <summary>How certificates are obtained.</summary>
internal sealed record AcmeOptions
{
    /// <summary>Validation by a request over HTTP, at port 80.</summary>
    public const string Http = "http-01";

    /// <summary>Validation by a handshake of TLS, at port 443.</summary>
    public const string TlsAlpn = "tls-alpn-01";

    /// <summary>Directory of the ACME server.</summary>
    public required Uri Directory { get; init; }

    /// <summary>Addresses that the server may write to, such as <c>mailto:admin@shop.example</c>.</summary>
    public IReadOnlyList<string> Contact { get; init; } = [];

    /// <summary>Who vouches for the server itself; absent: those whom the system trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>Challenges that may be answered: the first one is tried first, and after a failure the next one.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = [Http, TlsAlpn];

    /// <summary>Names for which certificates may be obtained on demand: themselves, or <c>*.</c> and what they end with.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>Is asked whether a certificate may be obtained on demand: <c>?domain=</c> and the name; 200 means yes. Absent: nobody is.</summary>
    public Uri? Ask { get; init; }

    /// <summary>Until a certificate is ordered for a host that has none yet, so that the other hosts of the application, too, know that they may be asked for it.</summary>
    public TimeSpan NewHostDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Until the next try after an order has failed for the first time; twice as long after each further one.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest time until the next try, but for a server that wants it longer.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromHours(12);

    /// <summary>Until the next try where the server wasn't reached; twice as long after each further failure.</summary>
    public TimeSpan AwayRetry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time until it is tried again whether the server is reached.</summary>
    public TimeSpan LongestAwayRetry { get; init; } = TimeSpan.FromHours(1);
}
