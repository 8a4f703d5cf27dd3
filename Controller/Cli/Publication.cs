using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Reporting;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary>Writes a launch configuration into the store, where every host of the application finds it.</summary>
/// <param name="store">The store.</param>
/// <param name="prefix">Prefix of the application's keys.</param>
/// <param name="time">Clock of the history.</param>
internal sealed class Publication(IObjectStore store, string prefix, TimeProvider time)
{
    private const int HistoryAttempts = 5;
    private static readonly TimeSpan HistoryPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Who publishes, as the history tells it.</summary>
    public static string Publisher => $"{Environment.UserName}@{Environment.MachineName}";

    private string CurrentKey => $"{prefix}/current.json";

    /// <summary>Writes the immutable document under its hash. One that is there already is the same document.</summary>
    /// <exception cref="StoreException">It couldn't be written; writing it again does no harm.</exception>
    /// <exception cref="PublicationException">Another content is stored under this hash.</exception>
    public async Task WriteAsync(LaunchDocument document, CancellationToken cancellationToken)
    {
        var key = ContentHash.KeyFor(prefix, document.Hash);
        if (await store.PutAsync(key, document.Bytes, PutCondition.Absent, cancellationToken) is not null)
        {
            return;
        }

        var stored = await store.GetAsync(key, null, LaunchConfigurationReader.MaxBytes, cancellationToken);
        if (!stored.Content.Span.SequenceEqual(document.Bytes))
        {
            throw new PublicationException($"{key} in {store.Description} has another content than its hash says. Remove it, find out who wrote it, and publish again.");
        }
    }

    /// <summary>What every host should run now.</summary>
    /// <exception cref="StoreException">It couldn't be read.</exception>
    public Task<StoreRead> ReadCurrentAsync(CancellationToken cancellationToken) =>
        store.GetAsync(CurrentKey, null, LaunchConfigurationReader.MaxBytes, cancellationToken);

    /// <summary>Makes a published document the one that every host should run, and notes it in the history.</summary>
    /// <param name="document">The document.</param>
    /// <param name="replaced">What it is to replace, from <see cref="ReadCurrentAsync"/>; if somebody has changed it since, nothing is written.</param>
    /// <param name="revision">Its name for people.</param>
    /// <param name="by">Who publishes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>ETag of <c>current.json</c>.</returns>
    /// <exception cref="StoreException">Something couldn't be read or written; doing it again does no harm.</exception>
    /// <exception cref="PublicationException">Somebody else changed a document meanwhile, or the history can't be read.</exception>
    public async Task<string> MakeCurrentAsync(LaunchDocument document, StoreRead replaced, string revision, string by, CancellationToken cancellationToken)
    {
        // Read first: a history that can't be read is found before anything is changed.
        await ReadHistoryAsync(cancellationToken);
        var etag = await store.PutAsync(CurrentKey, document.Bytes, ConditionOf(replaced), cancellationToken) ?? throw await LostAsync(cancellationToken);

        var entry = new HistoryEntry(revision, time.GetUtcNow(), by, document.Hash);
        for (var attempt = 0; attempt < HistoryAttempts; attempt++)
        {
            var (history, condition) = await ReadHistoryAsync(cancellationToken);
            if (await store.PutAsync(History.KeyFor(prefix), history.Append(entry).Write(), condition, cancellationToken) is not null)
            {
                return etag;
            }
        }

        throw new PublicationException($"{CurrentKey} is {document.Hash} now, but {History.KeyFor(prefix)} was changed by others at each of {HistoryAttempts} attempts to append to it.");
    }

    /// <summary>Who made <c>current.json</c> what it is, as far as the documents tell.</summary>
    /// <returns>Such as <c>5e6f7a8 (c0ffee123456), deployed by alice@ci at 2026-11-27 12:00:00Z</c>.</returns>
    /// <exception cref="StoreException">Something couldn't be read.</exception>
    public async Task<string> WinnerAsync(CancellationToken cancellationToken)
    {
        var current = await ReadCurrentAsync(cancellationToken);
        if (current.Status != StoreReadStatus.Found)
        {
            return "absent";
        }

        var hash = ContentHash.Of(current.Content.Span);
        var name = Words.Name(LaunchConfigurationReader.Read(current.Content).Configuration?.Revision, hash);
        for (var attempt = 1; ; attempt++)
        {
            // Whoever won writes current.json first, and the history a moment later.
            var (history, _) = await ReadHistoryAsync(cancellationToken);
            if (history.Entries is [.., var entry] && entry.Hash == hash)
            {
                return $"{name}, deployed by {entry.DeployedBy ?? "somebody"} at {Words.Date(entry.DeployedAt)}";
            }

            if (attempt == HistoryAttempts)
            {
                return $"{name}, which the history doesn't tell of";
            }

            await Task.Delay(HistoryPause, time, cancellationToken);
        }
    }

    private async Task<PublicationException> LostAsync(CancellationToken cancellationToken) => new(
        $"{CurrentKey} in {store.Description} was changed by somebody else at the same time and wasn't overwritten. It is {await WinnerAsync(cancellationToken)}. Nothing was deployed by this call; look at it, then do it again.");

    private async Task<(History History, PutCondition Condition)> ReadHistoryAsync(CancellationToken cancellationToken)
    {
        var key = History.KeyFor(prefix);
        var read = await store.GetAsync(key, null, History.MaxBytes, cancellationToken);
        try
        {
            return (read.Status == StoreReadStatus.Found ? History.Read(read.Content.Span) : History.Empty, ConditionOf(read));
        }
        catch (JsonException e)
        {
            throw new PublicationException($"{key} in {store.Description} is no history and was left as it is: {e.Message} Repair it or move it away.");
        }
    }

    private static PutCondition ConditionOf(StoreRead read) => read.ETag is { } etag ? PutCondition.Matches(etag) : PutCondition.Absent;
}

/// <summary>Something in the store forbids the publication: what, where, what to do.</summary>
internal sealed class PublicationException(string message) : Exception(message);
