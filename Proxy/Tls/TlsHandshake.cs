using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Speaks TLS with clients, and lets their connections go on in the protocol that was agreed upon.</summary>
/// <remarks>
/// Kestrel's own middleware does most of this. It sends no <c>close_notify</c>, so that a client can't tell the end of an answer without a length from one that was cut;
/// it lets nobody but Kestrel write; and its clock can't be set. <see cref="SslStream"/> is what both have in common.
/// </remarks>
/// <param name="choose">Chooses the certificate for the name that a client asks for, which may be empty; absent: none.</param>
/// <param name="acme">Proves to validators that a host is ours, and knows which certificates may come yet.</param>
/// <param name="http2">Where clients that speak HTTP/2 go.</param>
/// <param name="limit">How long a handshake may take.</param>
/// <param name="time">Clock of the limit.</param>
internal sealed class TlsHandshake(Func<string, SslServerAuthenticationOptions?> choose, AcmeDesk acme, InnerListener http2, TimeSpan limit, TimeProvider time)
{
    // One record, so that none is decrypted in parts.
    private const int ReadBytes = 16 << 10;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);
    private static readonly StreamPipeReaderOptions Reading = new(bufferSize: ReadBytes, minimumReadSize: ReadBytes / 4, leaveOpen: true, useZeroByteReads: true);

    /// <summary>Connection middleware.</summary>
    public ConnectionDelegate Establish(ConnectionDelegate next) => async connection =>
    {
        connection.Features.Get<ClientTransport>()?.SpeakTls();

        // To sign takes as long as to forward ten requests, which the loop's other clients would wait for.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (await PlainHttp.TryRefuseAsync(connection.Transport))
        {
            return;
        }

        await using var tls = new SslStream(new TransportStream(connection.Transport), leaveInnerStreamOpen: false);
        var features = new TlsFeatures(tls);
        if (await TryAuthenticateAsync(connection, tls, features))
        {
            connection.Features.Set(features.Client);
            connection.Features.Set<ITlsConnectionFeature>(features);
            connection.Features.Set<ITlsApplicationProtocolFeature>(features);
            await ServeAsync(connection, tls, next);
        }
    };

    private async Task<bool> TryAuthenticateAsync(ConnectionContext connection, SslStream tls, TlsFeatures features)
    {
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stopping);
        try
        {
            features.WantsProof = acme.IsUsed && await ClientHello.WantsProofAsync(connection.Transport.Input, either.Token);
            await tls.AuthenticateAsServerAsync(ChooseAsync, features, either.Token);
            if (!features.WantsProof)
            {
                return true;
            }

            // The handshake was all that it came for.
            await SayEndAsync(connection, tls);
            return false;
        }
        catch (UnrecognizedNameException)
        {
            await connection.Transport.Output.WriteAsync(TlsRecord.UnrecognizedName, CancellationToken.None);
            return false;
        }
        catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException)
        {
            // The client has left, wants what isn't offered, takes too long, or the Proxy stops.
            return false;
        }
    }

    private ValueTask<SslServerAuthenticationOptions> ChooseAsync(SslStream tls, SslClientHelloInfo hello, object? state, CancellationToken cancellationToken)
    {
        var features = (TlsFeatures)state!;
        if (features.WantsProof)
        {
            return ProveAsync(hello.ServerName.ToLowerInvariant(), cancellationToken);
        }

        if (choose(hello.ServerName) is { } options)
        {
            features.AsksClient = options.ClientCertificateRequired;
            return new(options);
        }

        return acme.IsUsed ? ObtainAsync(hello.ServerName.ToLowerInvariant(), features, cancellationToken) : throw new UnrecognizedNameException();
    }

    private async ValueTask<SslServerAuthenticationOptions> ProveAsync(string host, CancellationToken cancellationToken) =>
        AcmeChallenge.Prove(host, await acme.ProofAsync(host, cancellationToken) ?? throw new UnrecognizedNameException(), time.GetUtcNow());

    private async ValueTask<SslServerAuthenticationOptions> ObtainAsync(string host, TlsFeatures features, CancellationToken cancellationToken)
    {
        var options = await acme.CertificateAsync(host, choose, cancellationToken) ?? throw new UnrecognizedNameException();
        features.AsksClient = options.ClientCertificateRequired;
        return options;
    }

    private async Task ServeAsync(ConnectionContext connection, SslStream tls, ConnectionDelegate next)
    {
        var transport = connection.Transport;
        var decrypted = new Decrypted(PipeReader.Create(tls, Reading), new TlsWriter(tls));
        connection.Transport = decrypted;
        try
        {
            await (tls.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2 ? http2.HandOverAsync(connection) : next(connection));
        }
        finally
        {
            connection.Transport = transport;
            await decrypted.Input.CompleteAsync();
            await decrypted.Output.CompleteAsync();
            await SayEndAsync(connection, tls);
        }
    }

    // A connection that was broken off must not look as if it had ended in order; on it nothing can be sent.
    private async Task SayEndAsync(ConnectionContext connection, SslStream tls)
    {
        await using var over = time.CreateTimer(
            static connection => ((ConnectionContext)connection!).Abort(new ConnectionAbortedException("The client doesn't take the end of its connection.")),
            connection,
            EndLimit,
            Timeout.InfiniteTimeSpan);
        try
        {
            await tls.ShutdownAsync();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or NotSupportedException)
        {
            // The client has left without waiting for it.
        }
    }

    private sealed record Decrypted(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class UnrecognizedNameException : AuthenticationException;
}
