using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Acme;

/// <summary>Whose certificates are kept.</summary>
/// <param name="Application">Name of the application.</param>
/// <param name="Installation">Which Controller this is.</param>
internal sealed record CertificateOwner(string Application, string Installation);

/// <summary>
/// Keeps an application's automatic certificates: each second it tells the Proxy of this host what to answer, and hands it what was issued, here or by another host; and where something is to
/// be obtained, and the lease is ours, it is obtained beside that.
/// </summary>
/// <remarks>
/// No host has to be told of an order that another one made. Any token of HTTP-01 is answered with the thumbprint of the account, which all share. For TLS-ALPN-01 the token itself is needed:
/// the Proxy lets a validator wait and names the host, and the document of that host is read at once.
/// </remarks>
internal sealed partial class CertificateKeeper : IDisposable
{
    private const int MostQuestions = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AccountLook = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LeaseLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RestDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReleaseLimit = TimeSpan.FromSeconds(2);

    private readonly CertificateOwner _owner;
    private readonly AcmeOptions _options;
    private readonly Func<WantedCertificates?> _wanted;
    private readonly AcmeStore _store;
    private readonly IProxyAcme _proxy;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AcmeClient _client;
    private readonly AcmeAccount _account;
    private readonly CertificateIssuer _issuer;
    private readonly IssuerLease _lease;
    private readonly NamePolicy _policy;
    private readonly KnownCertificates _known;
    private volatile WantedCertificates? _now;
    private volatile IReadOnlyDictionary<string, string> _inForce = new Dictionary<string, string>();
    private DateTimeOffset? _restingSince;
    private DateTimeOffset _accountReadAt;
    private DateTimeOffset _leaseAskedAt;
    private bool? _isTold;
    private Task _issuing = Task.CompletedTask;
    private volatile string? _failure;
    private volatile string? _issueFailure;

    /// <param name="owner">Whose certificates.</param>
    /// <param name="options">How they are obtained.</param>
    /// <param name="wanted">Which are wanted now; absent: none.</param>
    /// <param name="store">Where they are shared.</param>
    /// <param name="proxy">The Proxy of this host.</param>
    /// <param name="network">How the ACME server is reached, and who is asked about names.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Source of the jitter.</param>
    /// <param name="logger">Where it tells.</param>
    public CertificateKeeper(
        CertificateOwner owner, AcmeOptions options, Func<WantedCertificates?> wanted, AcmeStore store, IProxyAcme proxy, AcmeNetwork network, TimeProvider time, Random random, ILogger<CertificateKeeper> logger)
    {
        (_owner, _options, _wanted, _store, _proxy, _time, _logger) = (owner, options, wanted, store, proxy, time, logger);
        _client = new AcmeClient(options.Directory, network.Server, time);
        _account = new AcmeAccount(store, _client, options, logger);
        _issuer = new CertificateIssuer(_client, _account, store, options, AnnounceAsync, time, random, logger);
        _lease = new IssuerLease(store, $"{Environment.MachineName} {Guid.NewGuid():n}", time);
        _policy = new NamePolicy(options, network.Names, time);
        _known = new KnownCertificates(store, options, time);
    }

    /// <summary>What is wrong with the whole, rather than with one certificate; absent: nothing.</summary>
    public string? Failure => _failure ?? _issueFailure
        ?? (_now is { OnDemand: true } && !_policy.IsOpen ? "No name may be obtained on demand. Name some with --acme-allow, or who says it with --acme-ask." : null);

    /// <summary>What is being obtained beside the rounds.</summary>
    internal Task Issuing => _issuing;

    /// <summary>The certificates as they are.</summary>
    public IReadOnlyList<AutomaticCertificate> Report() => [.. _known.Hosts.Select(host => ReportOf(host, _known[host]?.Document))];

    /// <summary>Keeps them until it is cancelled. No error of the server, the store or the Proxy ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await PassAsync(cancellationToken);
                await Task.Delay(Interval, _time, cancellationToken);
            }
        }
        finally
        {
            await _issuing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>One round.</summary>
    internal async Task PassAsync(CancellationToken cancellationToken)
    {
        try
        {
            _now = _wanted();
            await (_now is { } wanted ? KeepAsync(wanted, cancellationToken) : RestAsync(cancellationToken));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Store and Proxy may be away, and documents damaged. Whatever it is: deployments don't depend on it.
            _failure = Told(e.Message, _failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _policy.Dispose();
    }

    // What fails for one host, or for a while, doesn't keep the rest from being done; it is told at the end.
    private async Task KeepAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        var failure = await TryAsync(() => RefreshAsync(wanted, cancellationToken));
        var state = await _proxy.SetAcmeAsync(_owner.Application, SettingsFor(wanted), cancellationToken);
        (_isTold, _restingSince, _inForce) = (true, null, state.Certificates);
        _known.Await(state.Awaited);
        failure = await HandOverAsync(state, cancellationToken) ?? failure;
        await AllowAsync(wanted, state.Asked, cancellationToken);
        if (_issuing.IsCompleted && _time.GetUtcNow() is var now && now - _leaseAskedAt >= LeaseLook && NextDue(now) is not null)
        {
            _leaseAskedAt = now;
            _issuing = IssueAsync(cancellationToken);
        }

        _failure = failure is null ? null : Told(failure, _failure);
    }

    private static async Task<string?> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return null;
        }
        catch (Exception e) when (e is StoreException or ProxyException)
        {
            return e.Message;
        }
    }

    // A Controller that has just started doesn't know yet what is wanted.
    private async Task RestAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        _restingSince ??= now;
        _known.Clear();
        if (_isTold is not false && now - _restingSince >= RestDelay)
        {
            await _proxy.RemoveAcmeAsync(_owner.Application, _owner.Installation, cancellationToken);
            _isTold = false;
        }

        _failure = null;
    }

    // Where it isn't known, another host may have made it, and somebody may be asking for it here.
    private async Task RefreshAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (now - _accountReadAt >= (_account.Thumbprint is null ? Interval : AccountLook))
        {
            await _account.RefreshAsync(cancellationToken);
            _accountReadAt = now;
        }

        await _known.RefreshAsync(wanted, isWriting: !_issuing.IsCompleted, cancellationToken);
    }

    private async Task AllowAsync(WantedCertificates wanted, IReadOnlyList<string> asked, CancellationToken cancellationToken)
    {
        foreach (var host in asked.Where(host => wanted.OnDemand && wanted.Covers(host) && !_known.Has(host)).Take(MostQuestions))
        {
            if (await _policy.AllowsAsync(host, cancellationToken))
            {
                _known.AddOnDemand(host);
            }
        }
    }

    private AcmeSettings SettingsFor(WantedCertificates wanted) => new()
    {
        Installation = _owner.Installation,
        Hosts = wanted.Claims,
        AccountThumbprint = _account.Thumbprint,
        OnDemand = wanted.OnDemand && _policy.IsOpen,
        Tokens = _known.Documents.Where(document => document.Order is { Challenge: AcmeOptions.TlsAlpn, Token: not null }).ToDictionary(document => document.Host, document => document.Order!.Token!),
    };

    private async Task AnnounceAsync(Stored<CertificateDocument> known, CancellationToken cancellationToken)
    {
        _known[known.Document!.Host] = known;
        var wanted = _now ?? throw new ProxyException(ProxyFault.Unreachable, "Automatic certificates are no longer wanted.");
        await _proxy.SetAcmeAsync(_owner.Application, SettingsFor(wanted), cancellationToken);
    }

    private async Task<string?> HandOverAsync(AcmeState state, CancellationToken cancellationToken)
    {
        string? failure = null;
        foreach (var document in _known.Hosts.Select(host => _known[host]?.Document).OfType<CertificateDocument>().ToList())
        {
            if (document.Certificate is { } certificate && state.Certificates.GetValueOrDefault(document.Host) != certificate.Fingerprint)
            {
                failure = await TryAsync(() => HandAsync(document.Host, certificate, cancellationToken)) ?? failure;
            }
        }

        return failure;
    }

    private async Task HandAsync(string host, StoredCertificate certificate, CancellationToken cancellationToken)
    {
        var issued = new IssuedCertificate { Installation = _owner.Installation, Chain = certificate.Chain, Key = certificate.Key };
        await _proxy.HandCertificateAsync(_owner.Application, host, issued, cancellationToken);
        _inForce = new Dictionary<string, string>(_inForce) { [host] = certificate.Fingerprint };
        LogHanded(host, certificate.NotAfter);
    }

    private string? NextDue(DateTimeOffset now) => _lease.PausedUntil > now ? null : _known.NextDue(now);

    private async Task IssueAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (NextDue(_time.GetUtcNow()) is { } host && await _lease.TryTakeAsync(cancellationToken) && NextDue(_time.GetUtcNow()) == host)
            {
                await IssueAsync(host, cancellationToken);
            }

            _issueFailure = null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Nobody awaits this; whatever it is, it is told, and tried again.
            _issueFailure = Told(e.Message, _issueFailure);
        }
        finally
        {
            await ReleaseAsync();
        }
    }

    private async Task IssueAsync(string host, CancellationToken cancellationToken)
    {
        // What another host has done in the meantime.
        var known = await _store.ReadAsync(_store.KeyOf(host), known: null, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken);
        _known[host] = known;
        var result = CertificatePlan.Next(known.Document, _options.Directory.AbsoluteUri, _time.GetUtcNow()) switch
        {
            CertificateStep.Ask ask => await _issuer.AskAsync(known, ask.Certificate, cancellationToken),
            CertificateStep.Order or CertificateStep.Continue => await ObtainAsync(host, known, cancellationToken),
            _ => new IssueResult(known, null),
        };
        if (result.Known is { } written)
        {
            _known[host] = written;
        }

        if (result.Pause is { } pause)
        {
            await _lease.PauseAsync(pause, cancellationToken);
        }
    }

    private async Task<IssueResult> ObtainAsync(string host, Stored<CertificateDocument> known, CancellationToken cancellationToken)
    {
        var isOnDemand = _now?.Hosts.Contains(host, StringComparer.Ordinal) is not true;
        if (isOnDemand && !await _policy.AllowsAsync(host, cancellationToken))
        {
            // It was allowed once. It isn't renewed, and ends by itself.
            _known.Leave(host);
            return new IssueResult(known, null);
        }

        var document = known.Document ?? new CertificateDocument { Host = host, Directory = _options.Directory.AbsoluteUri };
        var isStale = document.Order is not null && CertificatePlan.Next(document, _options.Directory.AbsoluteUri, _time.GetUtcNow()) is CertificateStep.Order;
        return await _issuer.IssueAsync(known, document with { Order = isStale ? null : document.Order }, cancellationToken);
    }

    // Another host need not wait for the lease to end.
    private async Task ReleaseAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(ReleaseLimit, _time);
            await _lease.ReleaseAsync(limit.Token);
        }
        catch (Exception e) when (e is StoreException or OperationCanceledException)
        {
            LogNotReleased(e.Message);
        }
    }

    private string Told(string failure, string? before)
    {
        if (failure != before)
        {
            LogFailing(failure);
        }

        return failure;
    }

    private AutomaticCertificate ReportOf(string host, CertificateDocument? document) => new()
    {
        Host = host,
        NotAfter = document?.Certificate?.NotAfter,
        RenewAt = document?.Certificate?.RenewAt,
        Order = document?.Order?.Url,
        Failures = document?.Failures ?? 0,
        LastError = document?.LastError,
        NextTry = document?.NextTry,
        IsInForce = document?.Certificate is { } certificate && _inForce.GetValueOrDefault(host) == certificate.Fingerprint,
    };

    [LoggerMessage(610, LogLevel.Information, "Handed the certificate for {Host} to the Proxy, valid until {NotAfter:u}")]
    private partial void LogHanded(string host, DateTimeOffset notAfter);

    [LoggerMessage(611, LogLevel.Warning, "Could not look after automatic certificates; those that are in force stay. {Reason}")]
    private partial void LogFailing(string reason);

    [LoggerMessage(612, LogLevel.Debug, "Could not give the lease for issuing back; it ends by itself. {Reason}")]
    private partial void LogNotReleased(string reason);
}

/// <summary>How others are reached.</summary>
/// <param name="Server">The ACME server.</param>
/// <param name="Names">Who is asked about names.</param>
internal sealed record AcmeNetwork(HttpMessageHandler Server, HttpMessageHandler Names);
