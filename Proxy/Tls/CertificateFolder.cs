using System.Net.Security;
using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Tls;

/// <summary>A folder of certificates, looked at every few seconds: what was replaced is used in the next handshake, and connections go on.</summary>
/// <remarks>What can't be used, as when a certificate was replaced and its key will be in a moment, leaves in force what was there before.</remarks>
internal sealed partial class CertificateFolder : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeptExpired = TimeSpan.FromDays(7);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, CertificateEntry> _entries = new(StringComparer.Ordinal);
    private readonly ClientAuthorities? _authorities;
    private readonly AutomaticFolder? _automatic;
    private readonly ITimer _looking;
    private volatile CertificateTable _table = new(new Dictionary<string, ServerCertificate>());
    private string? _failure;

    /// <param name="path">The folder.</param>
    /// <param name="clientAuthorities">File of those who issue clients' certificates; absent: none are taken.</param>
    /// <param name="time">Clock of the looks, and of what has expired.</param>
    /// <param name="logger">Where it says what was taken and what wasn't.</param>
    /// <param name="automatic">Where automatic certificates are, which are used beside those of the folder; absent: there are none.</param>
    public CertificateFolder(string path, string? clientAuthorities, TimeProvider time, ILogger<CertificateFolder> logger, AutomaticFolder? automatic = null)
    {
        (_path, _time, _logger, _automatic) = (path, time, logger, automatic);
        _authorities = clientAuthorities is null ? null : new ClientAuthorities(clientAuthorities);
        Look();
        _looking = time.CreateTimer(static folder => ((CertificateFolder)folder!).Look(), this, Interval, Interval);
    }

    /// <summary>What is offered to a client that asks for a host; absent: there is no certificate for it.</summary>
    /// <param name="host">The host; empty where the client names none.</param>
    /// <param name="asksClient">Whether the client is asked for a certificate of its own, if it is known who issues those.</param>
    public SslServerAuthenticationOptions? Choose(string host, bool asksClient)
    {
        var certificate = _table.Find(host);
        return asksClient && _authorities?.InForce is { } authorities ? certificate?.OptionsAskingFor(authorities) : certificate?.Options;
    }

    /// <summary>Every certificate; the folder itself, if it can't be read.</summary>
    public IReadOnlyList<CertificateStatus> Report()
    {
        lock (_lock)
        {
            var now = _time.GetUtcNow();
            return [.. _entries.Values.Select(entry => entry.Report(now)), .. ProblemOf(_path, _failure), .. ProblemOf("clients' authorities", _authorities?.Problem)];
        }
    }

    /// <summary>SHA-256 of the automatic certificates that are in force, by host.</summary>
    /// <param name="isMeant">Which hosts are meant.</param>
    public IReadOnlyDictionary<string, string> Automatic(Func<string, bool> isMeant)
    {
        lock (_lock)
        {
            return _entries.Where(named => named.Value is { IsAutomatic: true, InForce: not null })
                .Select(named => (Host: AutomaticFolder.HostOf(named.Key), named.Value.InForce!.Fingerprint))
                .Where(kept => isMeant(kept.Host))
                .ToDictionary(kept => kept.Host, kept => kept.Fingerprint);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _looking.Dispose();

    private static CertificateStatus[] ProblemOf(string name, string? problem) => problem is null ? [] : [new CertificateStatus { Name = name, Problem = problem }];

    /// <summary>Looks now. One that takes longer than the interval is followed by the next one.</summary>
    public void Look()
    {
        lock (_lock)
        {
            var isChanged = LookAt(TryListAutomatic(), isAutomatic: true) | LookAt(TryList(), isAutomatic: false);
            if (isChanged)
            {
                _table = new CertificateTable(_entries.Where(named => named.Value.InForce is not null).ToDictionary(named => named.Key, named => named.Value.InForce!));
            }

            LookAtAuthorities();
            WarnOfExpiry();
        }
    }

    // What can't be listed stays as it is.
    private bool LookAt(List<CertificateFiles>? listed, bool isAutomatic) =>
        listed is not null && listed.Aggregate(false, (changed, files) => LookAt(files, isAutomatic) | changed) | DropMissing(listed, isAutomatic);

    private List<CertificateFiles>? TryList()
    {
        try
        {
            // Of two that are called the same the first counts.
            var listed = CertificateFiles.In(_path).DistinctBy(files => files.Name).ToList();
            _failure = listed.Count > 0 || HasAutomatic ? null : Fail($"There is no certificate in {_path}.");
            return listed;
        }
        catch (DirectoryNotFoundException) when (HasAutomatic && _entries.Values.All(entry => entry.IsAutomatic))
        {
            _failure = null;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _failure = Fail($"{_path} can't be read: {e.Message}");
            return null;
        }
    }

    private bool HasAutomatic => _entries.Values.Any(entry => entry.IsAutomatic);

    // Those that ended a week ago, and were not replaced, are of hosts that nobody wants any more.
    private List<CertificateFiles>? TryListAutomatic()
    {
        try
        {
            var listed = _automatic?.List();
            var ended = listed?.Where(files => _entries.GetValueOrDefault(files.Name)?.InForce?.NotAfter < _time.GetUtcNow() - KeptExpired).ToList();
            ended?.ForEach(AutomaticFolder.Drop);
            return listed?.Except(ended!).ToList();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FolderUnusable($"{_automatic!.Path} can't be used: {e.Message}");
            return null;
        }
    }

    private string Fail(string failure)
    {
        if (failure != _failure)
        {
            FolderUnusable(failure);
        }

        return failure;
    }

    private bool LookAt(CertificateFiles files, bool isAutomatic)
    {
        if (!_entries.TryGetValue(files.Name, out var entry))
        {
            _entries[files.Name] = entry = new CertificateEntry(files.Name, isAutomatic);
        }

        switch (entry.Look(files, _time.GetUtcNow()))
        {
            case CertificateEvent.Taken { Certificate: var taken }:
                Taken(files.Name, string.Join(", ", taken.Names), taken.NotAfter);
                if (entry.HasOpenKey)
                {
                    KeyIsOpen(files.Key);
                }

                return true;
            case CertificateEvent.Refused { Problem: var problem, InForce: var former }:
                Refused(files.Name, problem, former is null ? "There is none for its hosts." : $"The former one stays in force, valid until {former.NotAfter:u}.");
                return false;
            default:
                return false;
        }
    }

    private void LookAtAuthorities()
    {
        if (_authorities is null || !_authorities.Look())
        {
            return;
        }

        if (_authorities.Problem is { } problem)
        {
            AuthoritiesRefused(problem);
        }
        else
        {
            AuthoritiesTaken(_authorities.InForce!.Count);
        }
    }

    private bool DropMissing(List<CertificateFiles> listed, bool isAutomatic)
    {
        foreach (var (_, entry) in _entries.Where(named => named.Value.IsAutomatic == isAutomatic).ExceptBy(listed.Select(files => files.Name), named => named.Key))
        {
            entry.Miss();
        }

        var gone = _entries.Where(named => named.Value.IsAutomatic == isAutomatic && named.Value.IsGone).Select(named => named.Key).ToList();
        foreach (var name in gone)
        {
            _entries.Remove(name);
            Dropped(name);
        }

        return gone.Count > 0;
    }

    private void WarnOfExpiry()
    {
        var now = _time.GetUtcNow();
        foreach (var (name, entry) in _entries.Where(named => named.Value.IsToBeWarnedOf(now)))
        {
            ExpiresSoon(name, string.Join(", ", entry.InForce!.Names), entry.InForce.NotAfter, (entry.InForce.NotAfter - now).TotalDays);
        }
    }

    [LoggerMessage(430, LogLevel.Information, "Took certificate {Certificate} for {Hosts}, valid until {NotAfter:u}")]
    private partial void Taken(string certificate, string hosts, DateTimeOffset notAfter);

    [LoggerMessage(431, LogLevel.Warning, "Refused certificate {Certificate}: {Problem} {Consequence}")]
    private partial void Refused(string certificate, string problem, string consequence);

    [LoggerMessage(432, LogLevel.Warning, "Certificate {Certificate} for {Hosts} expires at {NotAfter:u}, in {Days:0.#} days; it was not replaced")]
    private partial void ExpiresSoon(string certificate, string hosts, DateTimeOffset notAfter, double days);

    [LoggerMessage(433, LogLevel.Warning, "Others may read or write the private key {File}; let its owner read it only: chmod 600")]
    private partial void KeyIsOpen(string file);

    [LoggerMessage(434, LogLevel.Information, "Dropped certificate {Certificate}: its files are gone")]
    private partial void Dropped(string certificate);

    [LoggerMessage(435, LogLevel.Warning, "Found no certificates: {Problem} What was taken before stays in force; handshakes for other hosts are refused")]
    private partial void FolderUnusable(string problem);

    [LoggerMessage(436, LogLevel.Information, "Took {Count} authorities of clients' certificates")]
    private partial void AuthoritiesTaken(int count);

    [LoggerMessage(437, LogLevel.Warning, "Refused the authorities of clients' certificates: {Problem} Those that were taken before stay in force")]
    private partial void AuthoritiesRefused(string problem);
}
