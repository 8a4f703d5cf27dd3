using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>The Proxy's part in automatic certificates. All calls may be repeated; each has 5 s.</summary>
internal interface IProxyAcme
{
    /// <summary>Tells it what to answer to validators.</summary>
    /// <returns>What it has, and what it is asked for.</returns>
    /// <exception cref="ProxyException">It wasn't reached, or refused; the message says why.</exception>
    Task<AcmeState> SetAcmeAsync(string application, AcmeSettings settings, CancellationToken cancellationToken);

    /// <summary>Tells it to answer no longer.</summary>
    /// <exception cref="ProxyException">It wasn't reached, or refused.</exception>
    Task RemoveAcmeAsync(string application, string installation, CancellationToken cancellationToken);

    /// <summary>Hands it a certificate, which is in force when this returns.</summary>
    /// <exception cref="ProxyException">It wasn't reached, or refused; the former one is in force.</exception>
    Task HandCertificateAsync(string application, string host, IssuedCertificate certificate, CancellationToken cancellationToken);
}
