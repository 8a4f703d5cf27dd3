using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>An authority that the tests trust and nobody else, and a folder with what it has issued, as the Proxy reads it.</summary>
internal sealed class TestAuthority : IDisposable
{
    /// <summary>The host for which there is a certificate from the beginning.</summary>
    public const string Host = "shop.example";

    private const string ForServers = "1.3.6.1.5.5.7.3.1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-tls-");
    private readonly X509Certificate2 _root;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        _root = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        WriteFile(RootFile, _root.ExportCertificatePem());
        Directory.CreateDirectory(Certificates);
        Write(Host, Host, $"*.{Host}");
    }

    /// <summary>The folder that the Proxy is told.</summary>
    public string Certificates => Path.Combine(_folder.FullName, "certificates");

    /// <summary>The authority's own certificate.</summary>
    public string RootFile => Path.Combine(_folder.FullName, "root.crt");

    /// <summary>Makes a certificate.</summary>
    public TestCertificate Issue(IReadOnlyList<string> hosts, DateTimeOffset? notBefore = null, DateTimeOffset? notAfter = null, string usage = ForServers, string subject = "CN=Test", Uri? responder = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (hosts.Count > 0)
        {
            request.CertificateExtensions.Add(NamesOf(hosts));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        if (responder is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([responder.ToString()], caIssuersUris: null));
        }

        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = 1;
        using var certificate = request.Create(
            _root, notBefore ?? DateTimeOffset.UnixEpoch.AddYears(40), notAfter ?? DateTimeOffset.UnixEpoch.AddYears(150), serial);
        return new TestCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), certificate.SerialNumber);
    }

    /// <summary>Makes a certificate, and puts it into the folder.</summary>
    public TestCertificate Write(string name, params IReadOnlyList<string> hosts)
    {
        var issued = Issue(hosts);
        WriteFile(At(name + ".crt"), issued.Chain);
        WriteKey(At(name + ".key"), issued.Key);
        return issued;
    }

    /// <summary>Writes a file, or writes it anew.</summary>
    public static void WriteFile(string path, string text)
    {
        using var file = File.CreateText(path);
        file.Write(text);
    }

    /// <summary>Writes the authority's own key, for a program that signs in its name.</summary>
    public string WriteRootKey()
    {
        using var key = _root.GetECDsaPrivateKey()!;
        WriteKey(RootFile + ".key", key.ExportPkcs8PrivateKeyPem());
        return RootFile + ".key";
    }

    /// <summary>A path in the folder.</summary>
    public string At(string file) => Path.Combine(Certificates, file);

    /// <summary>Writes a key that only its owner may read.</summary>
    public static void WriteKey(string path, string key)
    {
        WriteFile(path, key);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>Makes a Proxy offer what is in the folder.</summary>
    public ProxyOptions Offer(ProxyOptions options) => options with { ListenTls = [ListenAddress.TryParse("127.0.0.1:0")!], Certificates = Certificates };

    /// <summary>Connects, and believes this authority only.</summary>
    public async Task<T> ConnectAsync<T>(IPEndPoint address, Func<Socket, SslStream, T> make, string host = Host, Action<SslClientAuthenticationOptions>? change = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var options = OptionsFor(host);
        change?.Invoke(options);
        await tls.AuthenticateAsClientAsync(options).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        return make(socket, tls);
    }

    /// <summary>Connects, for HTTP/1.1.</summary>
    public Task<RawConnection> ConnectAsync(RunningProxy proxy, string host = Host) =>
        ConnectAsync(proxy.TlsAddress, static (socket, tls) => new RawConnection(socket, tls), host);

    /// <summary>How the standard client believes this authority.</summary>
    public SslClientAuthenticationOptions OptionsFor(string host, X509Certificate2? shown = null) => new()
    {
        TargetHost = host,
        ClientCertificates = shown is null ? null : [shown],
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _root },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    };

    /// <summary>The standard client, which speaks one version and asks for <see cref="Host"/>.</summary>
    /// <param name="address">Where it connects to.</param>
    /// <param name="version">The version.</param>
    /// <param name="shown">The certificate that it shows; absent: none.</param>
    /// <param name="header">What somebody in front sends on each connection before the handshake.</param>
    public HttpClient ClientFor(IPEndPoint address, Version version, X509Certificate2? shown = null, string header = "") => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, cancellationToken);
            await socket.SendAsync(System.Text.Encoding.Latin1.GetBytes(header), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = OptionsFor(Host, shown),
        UseProxy = false,
    })
    {
        BaseAddress = new Uri($"https://{Host}"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(10),
    };

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    private static X509Extension NamesOf(IReadOnlyList<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            names.AddDnsName(host);
        }

        return names.Build();
    }
}

/// <summary>A certificate with its key, as PEM.</summary>
internal sealed record TestCertificate(string Chain, string Key, string SerialNumber);
