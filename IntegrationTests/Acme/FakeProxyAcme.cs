using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>A Proxy that remembers what it was told.</summary>
internal sealed class FakeProxyAcme : IProxyAcme
{
    private readonly Dictionary<string, string> _certificates = [];

    public AcmeSettings? Settings { get; private set; }

    public int Removals { get; private set; }

    public List<string> Handed { get; } = [];

    /// <summary>What clients ask for.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Why it doesn't answer; absent: it does.</summary>
    public string? Away { get; set; }

    /// <summary>The host whose certificate it doesn't take.</summary>
    public string? Refused { get; set; }

    public Task<AcmeState> SetAcmeAsync(string application, AcmeSettings settings, CancellationToken cancellationToken)
    {
        Answer();
        Settings = settings;
        return Task.FromResult(new AcmeState { Certificates = new Dictionary<string, string>(_certificates), Asked = [.. Asked] });
    }

    public Task RemoveAcmeAsync(string application, string installation, CancellationToken cancellationToken)
    {
        Answer();
        Removals++;
        return Task.CompletedTask;
    }

    public Task HandCertificateAsync(string application, string host, IssuedCertificate certificate, CancellationToken cancellationToken)
    {
        Answer();
        if (host == Refused)
            throw new ProxyException(ProxyFault.Unreachable, $"It doesn't want {host}.");
        using var read = X509Certificate2.CreateFromPem(certificate.Chain, certificate.Key);
        _certificates[host] = Convert.ToHexStringLower(SHA256.HashData(read.RawData));
        Handed.Add(host);
        return Task.CompletedTask;
    }

    /// <summary>Loses its certificates, as one does whose disk is new.</summary>
    public void Lose() => _certificates.Clear();

    private void Answer()
    {
        if (Away is { } why)
            throw new ProxyException(ProxyFault.Unreachable, why);
    }
}
