using System.Buffers;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Control;

/// <summary>The calls about automatic certificates.</summary>
/// <param name="registry">Whose applications are.</param>
/// <param name="desk">Answers validators.</param>
/// <param name="folder">Where certificates are kept.</param>
/// <param name="certificates">What handshakes are made with; absent: TLS isn't spoken.</param>
internal sealed class AcmeApi(ApplicationRegistry registry, AcmeDesk desk, AutomaticFolder folder, CertificateFolder? certificates)
{
    private const int LongestHost = 253;
    private const int LongestPem = 256 << 10;
    private const int MostTokens = 200;

    private static readonly SearchValues<char> HostChars = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz.-_");

    /// <summary>Takes what an application wants answered.</summary>
    public async Task<AcmeAnswer> SetAsync(string application, AcmeSettings settings, CancellationToken cancellationToken)
    {
        if (SnapshotRules.Mistakes(application, settings.Installation).Concat(Mistakes(settings)).ToList() is { Count: > 0 } mistakes)
        {
            return Refuse(ControlProblem.InvalidBody, string.Join(' ', mistakes));
        }

        if (await registry.RefuseOwnerAsync(application, settings.Installation, cancellationToken) is { } foreign)
        {
            return new AcmeAnswer.Refused(foreign);
        }

        return desk.Set(application, settings) is { } refusal ? Refuse(ControlProblem.ClaimedByOther, refusal) : StateOf(application);
    }

    /// <summary>Answers for an application no longer.</summary>
    public async Task<AcmeAnswer> RemoveAsync(string application, string installation, CancellationToken cancellationToken)
    {
        if (await registry.RefuseOwnerAsync(application, installation, cancellationToken) is { } foreign)
        {
            return new AcmeAnswer.Refused(foreign);
        }

        desk.Remove(application);
        return StateOf(application);
    }

    /// <summary>Forgets an application that isn't served any more.</summary>
    public void Forget(string application) => desk.Remove(application);

    /// <summary>Takes a certificate.</summary>
    public async Task<AcmeAnswer> KeepAsync(string application, string host, IssuedCertificate issued, CancellationToken cancellationToken)
    {
        if (SnapshotRules.Mistakes(application, issued.Installation).Concat(Mistakes(host, issued)).ToList() is { Count: > 0 } mistakes)
        {
            return Refuse(ControlProblem.InvalidBody, string.Join(' ', mistakes));
        }

        if (await registry.RefuseOwnerAsync(application, issued.Installation, cancellationToken) is { } foreign)
        {
            return new AcmeAnswer.Refused(foreign);
        }

        if (certificates is null)
        {
            return Refuse(ControlProblem.NoTls, "This Proxy speaks no TLS. Start it with --listen-tls, such as 0.0.0.0:443 (wunderproxy run: --proxy-tls).");
        }

        return desk.ApplicationOf(host) is { } owner && owner != application
            ? Refuse(ControlProblem.ClaimedByOther, $"The certificate for '{host}' is application '{owner}'s.")
            : Take(application, host, issued);
    }

    private AcmeAnswer Take(string application, string host, IssuedCertificate issued)
    {
        try
        {
            folder.Keep(host, issued.Chain, issued.Key);
        }
        catch (CertificateException e)
        {
            return Refuse(ControlProblem.InvalidBody, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Refuse(ControlProblem.NotPersisted, $"The certificate for '{host}' couldn't be written, so the former one stays in force: {e.Message}");
        }

        certificates!.Look();
        desk.Wake();
        return StateOf(application);
    }

    private AcmeAnswer.Accepted StateOf(string application) => new(new AcmeState
    {
        Certificates = certificates?.Automatic(host => desk.ApplicationOf(host) == application) ?? new Dictionary<string, string>(),
        Asked = desk.WaitedFor(application, isCertificate: true),
        Awaited = desk.WaitedFor(application, isCertificate: false),
    });

    private static AcmeAnswer.Refused Refuse(string type, string detail) => new(ControlAnswer.Refuse(type, detail).Problem);

    private static IEnumerable<string> Mistakes(AcmeSettings settings)
    {
        if (settings.Hosts.Count > Routing.MaxHosts || settings.Hosts.Any(host => !IsHost(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host)))
        {
            yield return $"Hosts must be at most {Routing.MaxHosts} names in lower case.";
        }

        if (settings.AccountThumbprint is { } thumbprint && AcmeChallenge.TokenIn(AcmeChallenge.Path + thumbprint) is null)
        {
            yield return "AccountThumbprint is no thumbprint.";
        }

        if (settings.Tokens.Count > MostTokens || settings.Tokens.Any(token => !IsHost(token.Key) || AcmeChallenge.TokenIn(AcmeChallenge.Path + token.Value) is null))
        {
            yield return $"Tokens must be at most {MostTokens} tokens by host.";
        }
    }

    private static IEnumerable<string> Mistakes(string host, IssuedCertificate issued)
    {
        if (!IsHost(host))
        {
            yield return "The host in the path must be a name in lower case.";
        }

        if (issued.Chain.Length > LongestPem || issued.Key.Length > LongestPem)
        {
            yield return "Chain or Key is longer than 256 KiB.";
        }
    }

    // Such a name can't lead out of the folder of the certificates.
    private static bool IsHost(string host) =>
        host.Length is > 0 and <= LongestHost && !host.AsSpan().ContainsAnyExcept(HostChars) && char.IsAsciiLetterOrDigit(host[0]) && !host.Contains("..", StringComparison.Ordinal);
}

/// <summary>What came of a call about automatic certificates.</summary>
internal abstract record AcmeAnswer
{
    private AcmeAnswer()
    {
    }

    /// <summary>It was done.</summary>
    public sealed record Accepted(AcmeState State) : AcmeAnswer;

    /// <summary>It wasn't; nothing changed.</summary>
    public sealed record Refused(ControlProblem Problem) : AcmeAnswer;
}
