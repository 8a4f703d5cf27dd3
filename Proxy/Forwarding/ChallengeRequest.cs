using System.Diagnostics.CodeAnalysis;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>The question of an ACME server whether a host is ours. Source: RFC 8555, section 8.3.</summary>
/// <param name="Host">The host.</param>
/// <param name="Token">What the answer is to be for.</param>
internal sealed record ChallengeRequest(string Host, string Token)
{
    /// <summary>Whether a request is one. Hosts whose certificates are not automatic answer for themselves.</summary>
    public static bool TryRead(Exchange exchange, AcmeDesk acme, [NotNullWhen(true)] out ChallengeRequest? challenge)
    {
        challenge = null;
        if (acme.IsUsed && AcmeChallenge.TokenIn(RequestChecks.OriginFormOf(RequestChecks.RawTargetOf(exchange.Context))) is { } token)
        {
            var host = RequestPlace.WithoutPort(exchange.Context.Request.Host.Value).TrimEnd('.');
            challenge = acme.ApplicationOf(host) is null ? null : new ChallengeRequest(host.ToString().ToLowerInvariant(), token);
        }

        return challenge is not null;
    }

    /// <summary>Waits for the answer.</summary>
    /// <returns>Absent: nobody knows it, or the client has left.</returns>
    public async ValueTask<string?> FindAnswerAsync(AcmeDesk acme, CancellationToken cancellationToken)
    {
        try
        {
            return await acme.AnswerAsync(Host, Token, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
