using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Wunderproxy.Proxy.Tls;

/// <summary>What Kestrel wants to know of a connection on which TLS is spoken: by the first feature it takes requests for <c>https</c>, by the second it chooses the protocol.</summary>
/// <param name="tls">The connection; what is told of it is known after the handshake.</param>
internal sealed class TlsFeatures(SslStream tls) : ITlsConnectionFeature, ITlsApplicationProtocolFeature
{
    /// <summary>Who the client says it is.</summary>
    public ClientIdentity Client => new(AsksClient, ClientCertificate is { } shown ? ClientIdentity.SubjectOf(shown) : null);

    /// <summary>Whether the client is asked for a certificate of its own.</summary>
    public bool AsksClient { get; set; }

    /// <summary>Whether the client is one that validates hosts, and leaves after the handshake.</summary>
    public bool WantsProof { get; set; }

    /// <inheritdoc/>
    public X509Certificate2? ClientCertificate
    {
        get => tls.RemoteCertificate as X509Certificate2;
        set => throw new NotSupportedException("The handshake alone says who the client is.");
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> ApplicationProtocol => tls.NegotiatedApplicationProtocol.Protocol;

    /// <inheritdoc/>
    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
}
