using System.Collections.Concurrent;
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
    private const int MostOnDemand = 500;
    private const int MostQuestions = 10;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RestingLook = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BusyLook = TimeSpan.FromSeconds(5);
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
    private readonly ConcurrentDictionary<string, Stored<CertificateDocument>> _documents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _newAt = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _readAt = new(StringComparer.Ordinal);
    private readonly HashSet<string> _onDemand = new(StringComparer.Ordinal);
    private readonly HashSet<string> _urgent = new(StringComparer.Ordinal);
    private volatile WantedCertificates? _now;
    private volatile IReadOnlyList<string> _hosts = [];
    private volatile IReadOnlyDictionary<string, string> _inForce = new Dictionary<string, string>();
    private DateTimeOffset _listedAt;
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
    }

    /// <summary>What is wrong with the whole, rather than with one certificate; absent: nothing.</summary>
    public string? Failure => _failure ?? _issueFailure
        ?? (_now is { OnDemand: true } && !_policy.IsOpen ? "No name may be obtained on demand. Name some with --acme-allow, or who says it with --acme-ask." : null);

    /// <summary>What is being obtained beside the rounds.</summary>
    internal Task Issuing => _issuing;

    /// <summary>The certificates as they are.</summary>
    public IReadOnlyList<AutomaticCertificate> Report() => [.. _hosts.Select(host => ReportOf(host, _documents.GetValueOrDefault(host)?.Document))];

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
            if (_now is { } wanted)
            {
                await KeepAsync(wanted, cancellationToken);
            }
            else
            {
                await RestAsync(cancellationToken);
            }

            _failure = null;
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

    private async Task KeepAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        StoreException? unread = null;
        try
        {
            await RefreshAsync(wanted, cancellationToken);
        }
        catch (StoreException e)
        {
            // What is known is answered and handed over, whatever the store says.
            unread = e;
        }

        var state = await _proxy.SetAcmeAsync(_owner.Application, SettingsFor(wanted, _documents.Values), cancellationToken);
        (_isTold, _inForce) = (true, state.Certificates);
        _urgent.UnionWith(state.Awaited);
        await HandOverAsync(state, cancellationToken);
        await AllowAsync(wanted, state.Asked, cancellationToken);
        if (_issuing.IsCompleted && _time.GetUtcNow() is var now && now - _leaseAskedAt >= BusyLook && NextDue(now) is not null)
        {
            _leaseAskedAt = now;
            _issuing = IssueAsync(cancellationToken);
        }

        if (unread is not null)
        {
            throw unread;
        }
    }

    private async Task RestAsync(CancellationToken cancellationToken)
    {
        _hosts = [];
        if (_isTold is not false)
        {
            await _proxy.RemoveAcmeAsync(_owner.Application, _owner.Installation, cancellationToken);
            _isTold = false;
        }
    }

    // What rests is looked at once a minute; what somebody may be at more often; what somebody waits for at once.
    private async Task RefreshAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        await ListOnDemandAsync(wanted, now, cancellationToken);
        await FindAwaitedAsync(wanted, cancellationToken);
        _hosts = [.. wanted.Hosts.Union(_onDemand.Where(wanted.Covers), StringComparer.Ordinal)];
        var looksForAccount = _urgent.Count > 0 || _account.Thumbprint is null;
        if (now - _accountReadAt >= (looksForAccount ? Interval : RestingLook))
        {
            await _account.RefreshAsync(cancellationToken);
            _accountReadAt = now;
        }

        StoreException? unread = null;
        foreach (var host in _hosts.Where(host => IsToBeRead(host, now)).ToList())
        {
            try
            {
                await ReadAsync(host, now, cancellationToken);
            }
            catch (StoreException e)
            {
                unread = e;
            }
        }

        if (unread is not null)
        {
            throw unread;
        }
    }

    // What is being issued here is written here, and known.
    private async Task ReadAsync(string host, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var known = _documents.GetValueOrDefault(host);
        if (known is null || _issuing.IsCompleted)
        {
            _documents[host] = await _store.ReadAsync(_store.KeyOf(host), known is { Document: not null } ? known : null, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken);
            _readAt[host] = now;
            _newAt.TryAdd(host, _onDemand.Contains(host) ? now : now + _options.NewHostDelay);
            _urgent.Remove(host);
        }
    }

    private bool IsToBeRead(string host, DateTimeOffset now)
    {
        if (!_readAt.TryGetValue(host, out var at) || _urgent.Contains(host))
        {
            return true;
        }

        var isResting = CertificatePlan.Next(_documents.GetValueOrDefault(host)?.Document, _options.Directory.AbsoluteUri, now) is CertificateStep.Wait;
        return now - at >= (isResting ? RestingLook : BusyLook);
    }

    private async Task ListOnDemandAsync(WantedCertificates wanted, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!wanted.OnDemand || now - _listedAt < RestingLook)
        {
            return;
        }

        _onDemand.UnionWith((await _store.HostsAsync(cancellationToken)).Where(wanted.Covers).Take(MostOnDemand));
        _listedAt = now;
    }

    // A name that another host obtains on demand, and that somebody validates here.
    private async Task FindAwaitedAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        foreach (var host in _urgent.Where(host => wanted.OnDemand && wanted.Covers(host) && !_hosts.Contains(host, StringComparer.Ordinal)).Take(MostQuestions).ToList())
        {
            var read = await _store.ReadAsync(_store.KeyOf(host), known: null, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken);
            if (read.Document is not null && _onDemand.Count < MostOnDemand)
            {
                _onDemand.Add(host);
            }
        }

        _urgent.IntersectWith(_hosts.Concat(_onDemand));
    }

    private async Task AllowAsync(WantedCertificates wanted, IReadOnlyList<string> asked, CancellationToken cancellationToken)
    {
        foreach (var host in asked.Where(host => wanted.OnDemand && wanted.Covers(host) && !_hosts.Contains(host, StringComparer.Ordinal)).Take(MostQuestions))
        {
            if (_onDemand.Count < MostOnDemand && await _policy.AllowsAsync(host, cancellationToken))
            {
                _onDemand.Add(host);
            }
        }
    }

    private AcmeSettings SettingsFor(WantedCertificates wanted, IEnumerable<Stored<CertificateDocument>> documents) => new()
    {
        Installation = _owner.Installation,
        Hosts = wanted.Claims,
        AccountThumbprint = _account.Thumbprint,
        OnDemand = wanted.OnDemand && _policy.IsOpen,
        Tokens = documents.Select(stored => stored.Document).OfType<CertificateDocument>().Where(document => document.Order is { Challenge: AcmeOptions.TlsAlpn, Token: not null })
            .ToDictionary(document => document.Host, document => document.Order!.Token!),
    };

    private async Task AnnounceAsync(Stored<CertificateDocument> known, CancellationToken cancellationToken)
    {
        _documents[known.Document!.Host] = known;
        var wanted = _now ?? throw new ProxyException(ProxyFault.Unreachable, "Automatic certificates are no longer wanted.");
        await _proxy.SetAcmeAsync(_owner.Application, SettingsFor(wanted, _documents.Values), cancellationToken);
    }

    private async Task HandOverAsync(AcmeState state, CancellationToken cancellationToken)
    {
        foreach (var document in _hosts.Select(host => _documents.GetValueOrDefault(host)?.Document).OfType<CertificateDocument>().ToList())
        {
            if (document.Certificate is { } certificate && state.Certificates.GetValueOrDefault(document.Host) != certificate.Fingerprint)
            {
                await _proxy.HandCertificateAsync(
                    _owner.Application, document.Host, new IssuedCertificate { Installation = _owner.Installation, Chain = certificate.Chain, Key = certificate.Key }, cancellationToken);
                _inForce = new Dictionary<string, string>(_inForce) { [document.Host] = certificate.Fingerprint };
                LogHanded(document.Host, certificate.NotAfter);
            }
        }
    }

    private string? NextDue(DateTimeOffset now) => _lease.PausedUntil > now ? null : _hosts.FirstOrDefault(host => IsDue(host, now));

    private bool IsDue(string host, DateTimeOffset now) =>
        _documents.TryGetValue(host, out var stored)
        && (stored.Document is not null || now >= _newAt.GetValueOrDefault(host))
        && CertificatePlan.Next(stored.Document, _options.Directory.AbsoluteUri, now) is not CertificateStep.Wait;

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
        _documents[host] = known;
        var result = CertificatePlan.Next(known.Document, _options.Directory.AbsoluteUri, _time.GetUtcNow()) switch
        {
            CertificateStep.Ask ask => await _issuer.AskAsync(known, ask.Certificate, cancellationToken),
            CertificateStep.Order or CertificateStep.Continue => await ObtainAsync(host, known, cancellationToken),
            _ => new IssueResult(known, null),
        };
        if (result.Known is { } written)
        {
            _documents[host] = written;
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
            _hosts = [.. _hosts.Where(other => other != host)];
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
