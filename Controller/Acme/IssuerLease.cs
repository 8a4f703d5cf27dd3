namespace Wunderproxy.Controller.Acme;

/// <summary>The right to issue: one host at a time has it, for two minutes. One that dies with it holds the others up for no longer.</summary>
/// <remarks>
/// It spares the server orders that are made twice. What makes them harmless, as where clocks differ or a host is suspended with the lease, are the conditional writes of each
/// <see cref="CertificateDocument"/>.
/// </remarks>
internal sealed class IssuerLease(AcmeStore store, string owner, TimeProvider time)
{
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(2);

    /// <summary>Nothing is ordered before; absent: at once.</summary>
    public DateTimeOffset? PausedUntil { get; private set; }

    /// <summary>Takes it, or has it for longer.</summary>
    /// <returns>Whether it is ours now.</returns>
    public async Task<bool> TryTakeAsync(CancellationToken cancellationToken)
    {
        var known = await ReadAsync(cancellationToken);
        return (known.Document is not { } document || document.Owner == owner || !IsAhead(document.Until, Length))
            && await WriteAsync(known, Length, PausedUntil, cancellationToken);
    }

    /// <summary>Gives it back, if it is ours.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var known = await ReadAsync(cancellationToken);
        if (known.Document?.Owner == owner)
        {
            await WriteAsync(known, TimeSpan.Zero, PausedUntil, cancellationToken);
        }
    }

    /// <summary>Tells all hosts to leave the server alone for a while, if the lease is ours.</summary>
    public async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        var known = await ReadAsync(cancellationToken);
        if (known.Document?.Owner == owner)
        {
            PausedUntil = time.GetUtcNow() + pause;
            await WriteAsync(known, Length, PausedUntil, cancellationToken);
        }
    }

    private async Task<Stored<IssuerDocument>> ReadAsync(CancellationToken cancellationToken)
    {
        var read = await store.ReadAsync(store.IssuerKey, known: null, AcmeDocumentsJson.Default.IssuerDocument, cancellationToken);
        PausedUntil = read.Document?.PausedUntil is { } until && IsAhead(until, AcmeBackoff.LongestPause) ? until : null;
        return read;
    }

    // What is much further away than it ever is was written by a host whose clock is ahead; it must not hold us up for as long.
    private bool IsAhead(DateTimeOffset until, TimeSpan longest) => until > time.GetUtcNow() && until < time.GetUtcNow() + (2 * longest);

    private async Task<bool> WriteAsync(Stored<IssuerDocument> known, TimeSpan length, DateTimeOffset? pausedUntil, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var document = new IssuerDocument { Owner = owner, Until = now + length, PausedUntil = pausedUntil > now ? pausedUntil : null };
        return await store.WriteAsync(store.IssuerKey, known, document, AcmeDocumentsJson.Default.IssuerDocument, cancellationToken) is not null;
    }
}
