using System.Collections.Concurrent;

namespace Wunderproxy.Controller.Desired;

/// <summary>Reads configurations from the store that releases on this host need and that are not on its disk any more.</summary>
internal sealed class MissingConfigurations(ConfigurationCache cache, Action wake, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, (Task Task, long? At, string Reason)> _asked = new(StringComparer.Ordinal);

    /// <summary>Has a configuration read, at most every few seconds.</summary>
    /// <returns>Why it isn't here yet.</returns>
    public string Ask(string hash)
    {
        var now = time.GetTimestamp();
        var (task, at, reason) = _asked.GetValueOrDefault(hash, (Task.CompletedTask, null, $"The configuration {hash} is being read from the store"));
        if (task.IsCompleted && (at is null || time.GetElapsedTime(at.Value, now) >= Pause))
            _asked[hash] = (ReadAsync(hash, now), now, reason);
        return reason;
    }

    private async Task ReadAsync(string hash, long at)
    {
        var reason = await cache.ResolveAsync(hash, CancellationToken.None) switch
        {
            Resolution.Unknown unknown => unknown.Message,
            Resolution.Invalid invalid => invalid.Message,
            Resolution.NotKept notKept => notKept.Message,
            Resolution.Unavailable unavailable => unavailable.Message,
            _ => "",
        };
        _asked[hash] = (Task.CompletedTask, at, reason);
        if (reason.Length == 0)
            wake();
    }
}
