namespace Wunderproxy.Contracts.Control;

/// <summary>What the Proxy needs in order to answer those who validate an application's hosts (RFC 8555, section 8), and to tell which certificates are wanted.</summary>
/// <remarks>
/// Body of <c>PUT /applications/{application}/acme</c>: all of it, in the place of what was said before; sent every second as long as the application wants automatic certificates, so the
/// Proxy keeps it in memory only. 200 with <see cref="AcmeState"/>; 409 (<see cref="ControlProblem.ClaimedByOther"/>): another application has one of the hosts, or the name.
/// <c>DELETE /applications/{application}/acme?installation=…</c> ends it: 200, also where nothing was said. Certificates stay.
/// </remarks>
public sealed record AcmeSettings
{
    /// <summary>Which Controller owns the application.</summary>
    public required string Installation { get; init; }

    /// <summary>Hosts whose certificates are automatic, as in <see cref="Routing.Hosts"/>; empty: every host.</summary>
    public IReadOnlyList<string> Hosts { get; init => field = value ?? []; } = [];

    /// <summary>
    /// Thumbprint of the account's key (RFC 7638): with it any token of an HTTP-01 challenge is answered, also one of an order that another host has made. Of use to nobody but who has the
    /// key. Absent: there is no account yet; who asks for a token waits for it a few seconds.
    /// </summary>
    public string? AccountThumbprint { get; init; }

    /// <summary>Tokens of the TLS-ALPN-01 challenges that are open, by host.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    /// <summary>Whether certificates are obtained when clients ask for them; such a client's handshake waits a few seconds.</summary>
    public bool OnDemand { get; init; }
}

/// <summary>What the Proxy has of an application's automatic certificates, and what it is asked for.</summary>
public sealed record AcmeState
{
    /// <summary>SHA-256 of each host's automatic certificate, in lower-case hex.</summary>
    public IReadOnlyDictionary<string, string> Certificates { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();

    /// <summary>Hosts that clients ask for and that there is no certificate for, where they are <see cref="AcmeSettings.OnDemand"/>; at most 100.</summary>
    public IReadOnlyList<string> Asked { get; init => field = value ?? []; } = [];

    /// <summary>Hosts whose challenge somebody waits for that isn't known here; at most 100.</summary>
    public IReadOnlyList<string> Awaited { get; init => field = value ?? []; } = [];
}

/// <summary>A certificate that was issued for one host.</summary>
/// <remarks>
/// Body of <c>PUT /applications/{application}/acme/certificates/{host}</c>. 200 with <see cref="AcmeState"/>: it is on the disk and in force. 400: it isn't for that host, or its key doesn't
/// fit; 409: the host is another application's, or the Proxy speaks no TLS; 507: it couldn't be written. The former one stays in force then.
/// </remarks>
public sealed record IssuedCertificate
{
    /// <summary>Which Controller owns the application.</summary>
    public required string Installation { get; init; }

    /// <summary>The certificate, and those that lead to a root, as PEM.</summary>
    public required string Chain { get; init; }

    /// <summary>Its private key, as PEM (PKCS #8). Secret.</summary>
    public required string Key { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => $"{nameof(IssuedCertificate)} of {Installation}";
}
