using System.Globalization;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Desired;

/// <summary>Follows <c>current.json</c>. Whatever goes wrong with it changes nothing but what is said about it.</summary>
internal sealed partial class CurrentWatcher(IObjectStore store, string prefix, ConfigurationCache cache, Action wake, TimeProvider time, ILogger logger)
{
    private readonly string _key = $"{prefix}/current.json";
    private volatile CurrentReading _reading = new(new CurrentDocument.Unreadable("The store has not been read yet"), null, null);

    /// <summary>The newest document that could be read, and whether the store answers.</summary>
    public CurrentReading Reading => _reading;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var before = _reading;
            _reading = await ReadAsync(before, cancellationToken);
            Tell(before, _reading);
            await store.WaitForChangeAsync(_key, cancellationToken);
        }
    }

    private async Task<CurrentReading> ReadAsync(CurrentReading before, CancellationToken cancellationToken)
    {
        try
        {
            var read = await store.GetAsync(_key, ETagOf(before.Document), ConfigurationCache.MaxBytes, cancellationToken);
            var document = read.Status switch
            {
                StoreReadStatus.NotModified => before.Document,
                StoreReadStatus.NotFound => new CurrentDocument.Absent(),
                _ => DocumentOf(read),
            };
            return new CurrentReading(document, time.GetUtcNow(), null);
        }
        catch (StoreException exception)
        {
            return before with { Failure = exception.Message };
        }
    }

    private CurrentDocument DocumentOf(StoreRead read) => cache.Keep(_key, read.Content) switch
    {
        Resolution.Found found => new CurrentDocument.Valid(found.Hash, read.ETag!),
        Resolution.Invalid invalid => new CurrentDocument.Invalid(read.ETag!, invalid.Message),
        Resolution.NotKept notKept => new CurrentDocument.Unreadable(notKept.Message),
        _ => throw new InvalidOperationException("A document that is at hand is found, invalid or can't be kept."),
    };

    private static string? ETagOf(CurrentDocument document) => document switch
    {
        CurrentDocument.Valid valid => valid.ETag,
        CurrentDocument.Invalid invalid => invalid.ETag,
        _ => null,
    };

    private void Tell(CurrentReading before, CurrentReading after)
    {
        if (before.Document != after.Document)
            LogChanged(_key, Summary(after.Document));
        if (before.Failure is null && after.Failure is { } failure)
            LogUnreadable(_key, failure);
        if (before.Failure is not null && after.Failure is null)
            LogReadableAgain(_key);
        if (before.Document != after.Document || before.Failure != after.Failure || before.CheckedAt is null)
            wake();
    }

    private static string Summary(CurrentDocument document) => document switch
    {
        CurrentDocument.Valid valid => string.Create(CultureInfo.InvariantCulture, $"release {valid.Hash}"),
        CurrentDocument.Invalid invalid => $"not usable: {invalid.Reason}",
        CurrentDocument.Absent => "absent",
        CurrentDocument.Unreadable unreadable => unreadable.Reason,
        _ => "",
    };

    [LoggerMessage(110, LogLevel.Information, "Read {Key}: {Content}")]
    private partial void LogChanged(string key, string content);

    [LoggerMessage(111, LogLevel.Warning, "Could not read {Key}; what runs goes on. {Reason}")]
    private partial void LogUnreadable(string key, string reason);

    [LoggerMessage(112, LogLevel.Information, "Could read {Key} again")]
    private partial void LogReadableAgain(string key);
}

/// <summary>What is known of <c>current.json</c>.</summary>
/// <param name="Document">The newest document that could be read.</param>
/// <param name="CheckedAt">When the store last answered; absent: never.</param>
/// <param name="Failure">Why the latest read failed; absent: it didn't.</param>
internal sealed record CurrentReading(CurrentDocument Document, DateTimeOffset? CheckedAt, string? Failure);
