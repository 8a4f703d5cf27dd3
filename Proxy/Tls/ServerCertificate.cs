using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Wunderproxy.Proxy.Tls;

/// <summary>A certificate with its key, ready for handshakes.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Handshakes that have begun may use a certificate that was replaced.")]
[SuppressMessage("Security", "CA5398", Justification = "What is spoken is decided here.")]
internal sealed class ServerCertificate
{
    private const int LargestFile = 1 << 20;
    private const string ForServers = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain;
    private volatile Asking? _asking;

    private ServerCertificate(X509Certificate2 certificate, X509Certificate2Collection chain)
    {
        (_certificate, _chain) = (certificate, chain);
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span));
        Names = [.. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames()).Select(name => name.ToLowerInvariant()).Distinct()];
        NotBefore = certificate.NotBefore.ToUniversalTime();
        NotAfter = certificate.NotAfter.ToUniversalTime();
        Options = NewOptions(trust: null);
    }

    /// <summary>Names of hosts that it is for, in lower case, such as <c>shop.example</c> and <c>*.shop.example</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>SHA-256 of the certificate itself.</summary>
    public string Fingerprint { get; }

    /// <summary>Since when it is valid.</summary>
    public DateTimeOffset NotBefore { get; }

    /// <summary>Until when it is valid.</summary>
    public DateTimeOffset NotAfter { get; }

    /// <summary>What is offered to clients. Sessions can be resumed as long as these are the same ones.</summary>
    public SslServerAuthenticationOptions Options { get; }

    /// <summary>The same, and clients are asked for a certificate of theirs. No session is resumed: one that was begun without would have none.</summary>
    /// <param name="authorities">Who issues those that are taken.</param>
    public SslServerAuthenticationOptions OptionsAskingFor(X509Certificate2Collection authorities)
    {
        if (_asking is not { } asking || asking.Authorities != authorities)
        {
            var options = NewOptions(SslCertificateTrust.CreateForX509Collection(authorities, sendTrustInHandshake: true));
            options.AllowTlsResume = false;
            options.ClientCertificateRequired = true;
            options.RemoteCertificateValidationCallback = static (_, certificate, _, errors) => certificate is null || (errors == SslPolicyErrors.None && ClientIdentity.CanBeTold(certificate));
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
            _asking = asking = new Asking(authorities, options);
        }

        return asking.Options;
    }

    /// <summary>Reads a certificate.</summary>
    /// <exception cref="CertificateException">It can't be used; says why.</exception>
    public static ServerCertificate Read(CertificateFiles files)
    {
        var chain = TextOf(files.Chain);
        return files.Key == files.Chain ? Of(files.Chain, chain, chain) : Of(files.Chain, chain, TextOf(files.Key), files.Key);
    }

    /// <summary>Makes one of what was read.</summary>
    /// <param name="origin">What it is called in errors.</param>
    /// <param name="chain">The certificate and those behind it, as PEM.</param>
    /// <param name="key">Its key, as PEM.</param>
    /// <param name="keyOrigin">What that is called, if otherwise.</param>
    /// <exception cref="CertificateException">It can't be used; says why.</exception>
    public static ServerCertificate Of(string origin, string chain, string key, string? keyOrigin = null)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(chain);
            return all.Count == 0 ? throw new CertificateException($"{origin} has no certificate in it.") : Of(origin, X509Certificate2.CreateFromPem(chain, key), all);
        }
        catch (Exception e) when (e is not (CertificateException or OutOfMemoryException))
        {
            throw new CertificateException($"{origin} and {keyOrigin ?? origin} don't make a certificate with its key: {e.Message}", e);
        }
    }

    private static ServerCertificate Of(string origin, X509Certificate2 certificate, X509Certificate2Collection all)
    {
        all.RemoveAt(0);
        return IsForServers(certificate) ? new ServerCertificate(certificate, all) : throw new CertificateException($"{origin} is not a certificate for servers.");
    }

    // Those for which clients are asked are made in the middle of a handshake, where nothing may be waited for.
    private SslServerAuthenticationOptions NewOptions(SslCertificateTrust? trust) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(_certificate, _chain, offline: trust is not null || !NamesResponder(_certificate), trust),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        AllowRenegotiation = false,
    };

    private static bool IsForServers(X509Certificate2 certificate)
    {
        var usages = certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault();
        return usages is null || usages.EnhancedKeyUsages.Cast<Oid>().Any(usage => usage.Value == ForServers);
    }

    // Only then is there anything to staple; for the others nothing is asked on the net.
    private static bool NamesResponder(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509AuthorityInformationAccessExtension>().Any(access => access.EnumerateOcspUris().Any());

    private static string TextOf(string path)
    {
        try
        {
            var text = new FileInfo(path).Length > LargestFile ? throw new CertificateException($"{path} is larger than 1 MiB.") : File.ReadAllText(path);
            return text.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal)
                ? throw new CertificateException($"{path} is encrypted, and there is no password for it. Store the key without one, readable for the Proxy only.")
                : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CertificateException($"{path} can't be read: {e.Message}", e);
        }
    }

    private sealed record Asking(X509Certificate2Collection Authorities, SslServerAuthenticationOptions Options);
}

/// <summary>A certificate can't be used; the message says why, and has nothing of the key in it.</summary>
internal sealed class CertificateException(string message, Exception? inner = null) : Exception(message, inner);
