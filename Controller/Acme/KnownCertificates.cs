using System.Collections.Concurrent;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Acme;

/// <summary>What is known of an application's certificates: their documents as they were read or written last. What is issued here is written beside the reading.</summary>
/// <param name="store">Where they are.</param>
/// <param name="options">How certificates are obtained.</param>
/// <param name="time">The clock.</param>
internal sealed class KnownCertificates(AcmeStore store, AcmeOptions options, TimeProvider time)
{
    private const int MostOnDemand = 500;
    private const int MostSought = 10;

    // What rests is looked at once a minute; what somebody may be at more often; what somebody waits for at once.
    private static readonly TimeSpan RestingLook = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan BusyLook = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Stored<CertificateDocument>> _documents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _newAt = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _readAt = new(StringComparer.Ordinal);
    private readonly HashSet<string> _onDemand = new(StringComparer.Ordinal);
    private readonly HashSet<string> _awaited = new(StringComparer.Ordinal);
    private volatile IReadOnlyList<string> _hosts = [];
    private DateTimeOffset _listedAt;

    /// <summary>The hosts whose certificates are kept.</summary>
    public IReadOnlyList<string> Hosts => _hosts;

    /// <summary>All documents that are known.</summary>
    public IEnumerable<CertificateDocument> Documents => _documents.Values.Select(stored => stored.Document).OfType<CertificateDocument>();

    private string Directory => options.Directory.AbsoluteUri;

    /// <summary>A host's document; absent: it wasn't read yet.</summary>
    public Stored<CertificateDocument>? this[string host]
    {
        get => _documents.GetValueOrDefault(host);
        set => _documents[host] = value!;
    }

    /// <summary>Whether a host's certificate is kept.</summary>
    public bool Has(string host) => _hosts.Contains(host, StringComparer.Ordinal);

    /// <summary>The first host about which something is to be done.</summary>
    public string? NextDue(DateTimeOffset now) => _hosts.FirstOrDefault(host => IsDue(host, now));

    /// <summary>Keeps the certificate of a host that a client asks for, up to 500.</summary>
    public void AddOnDemand(string host)
    {
        if (_onDemand.Count < MostOnDemand)
        {
            _onDemand.Add(host);
        }
    }

    /// <summary>Reads the documents of these hosts next, for somebody waits for what is in them.</summary>
    public void Await(IEnumerable<string> hosts) => _awaited.UnionWith(hosts);

    /// <summary>Keeps the certificate of a host no longer, for now.</summary>
    public void Leave(string host) => _hosts = [.. _hosts.Where(other => other != host)];

    /// <summary>Keeps none.</summary>
    public void Clear() => _hosts = [];

    /// <summary>Reads what may have changed.</summary>
    /// <param name="wanted">Which certificates are wanted.</param>
    /// <param name="isWriting">Whether documents that are known may be written at this moment, here.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StoreException">Not all could be read; the others were.</exception>
    public async Task RefreshAsync(WantedCertificates wanted, bool isWriting, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (wanted.OnDemand)
        {
            await ListOnDemandAsync(wanted, now, cancellationToken);
            await FindAwaitedAsync(wanted, cancellationToken);
        }

        _hosts = [.. wanted.Hosts.Union(_onDemand.Where(host => wanted.OnDemand && wanted.Covers(host)), StringComparer.Ordinal)];
        StoreException? unread = null;
        foreach (var host in _hosts.Where(host => IsToBeRead(host, now) && !(isWriting && _documents.ContainsKey(host))).ToList())
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

        _awaited.Clear();
        if (unread is not null)
        {
            throw unread;
        }
    }

    private bool IsDue(string host, DateTimeOffset now) =>
        _documents.TryGetValue(host, out var stored)
        && (stored.Document is not null || now >= _newAt.GetValueOrDefault(host))
        && CertificatePlan.Next(stored.Document, Directory, now) is not CertificateStep.Wait;

    private bool IsToBeRead(string host, DateTimeOffset now)
    {
        if (!_readAt.TryGetValue(host, out var at) || _awaited.Contains(host))
        {
            return true;
        }

        var isResting = CertificatePlan.Next(_documents.GetValueOrDefault(host)?.Document, Directory, now) is CertificateStep.Wait;
        return now - at >= (isResting ? RestingLook : BusyLook);
    }

    private async Task ReadAsync(string host, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var known = _documents.GetValueOrDefault(host) is { Document: not null } found ? found : null;
        _documents[host] = await store.ReadAsync(store.KeyOf(host), known, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken);
        _readAt[host] = now;
        _newAt.TryAdd(host, _onDemand.Contains(host) ? now : now + options.NewHostDelay);
    }

    private async Task ListOnDemandAsync(WantedCertificates wanted, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (now - _listedAt >= RestingLook)
        {
            _onDemand.UnionWith((await store.HostsAsync(cancellationToken)).Where(wanted.Covers).Take(MostOnDemand));
            _listedAt = now;
        }
    }

    // A name that another host obtains on demand, and that somebody validates here.
    private async Task FindAwaitedAsync(WantedCertificates wanted, CancellationToken cancellationToken)
    {
        foreach (var host in _awaited.Where(host => wanted.Covers(host) && !Has(host)).Take(MostSought).ToList())
        {
            if ((await store.ReadAsync(store.KeyOf(host), known: null, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken)).Document is not null)
            {
                AddOnDemand(host);
            }
        }
    }
}
