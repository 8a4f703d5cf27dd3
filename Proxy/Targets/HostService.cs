using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Targets;

/// <summary>Whether the host is in service, or load balancers are told to take it away. Kept on the disk; safe from any thread.</summary>
/// <param name="write">Keeps a document, or forgets it where there is none; throws where it can't.</param>
/// <param name="time">The clock.</param>
internal sealed class HostService(Action<byte[]?> write, TimeProvider time)
{
    private readonly Lock _deciding = new();
    private volatile Drain? _drain;

    /// <summary>Whether the host is out of service.</summary>
    public bool IsDrained => _drain is not null;

    /// <summary>Takes over what was kept. What can't be read was kept by somebody who took the host out of service.</summary>
    /// <param name="kept">The document; absent: the host is in service.</param>
    public void Load(byte[]? kept) => _drain = kept is null ? null : new Drain(Read(kept)?.Since ?? time.GetUtcNow());

    /// <summary>Takes the host out of service, or brings it back; once more changes nothing.</summary>
    /// <exception cref="IOException">It couldn't be kept; nothing changed.</exception>
    /// <exception cref="UnauthorizedAccessException">As before.</exception>
    public void Set(bool isDrained)
    {
        lock (_deciding)
        {
            if (isDrained == IsDrained)
            {
                return;
            }

            var next = isDrained ? new Drain(time.GetUtcNow()) : null;
            write(next is null ? null : JsonSerializer.SerializeToUtf8Bytes(next.Report(), ContractsJson.Default.HostDrain));
            _drain = next;
        }
    }

    /// <summary>Whether a request asks for an application's health and is to be told that the host isn't ready. Any other one is noted: as long as such come, somebody sends them here.</summary>
    /// <param name="serving">How the application is served; absent: it belongs to none.</param>
    /// <param name="place">What it asks for.</param>
    public bool TurnsAway(Serving? serving, RequestPlace place)
    {
        if (_drain is not { } drain)
        {
            return false;
        }

        var isHealthCheck = serving is not null && serving.IsHealthCheck(place);
        drain.Note(isHealthCheck, time.GetUtcNow());
        return isHealthCheck;
    }

    /// <summary>What came since the host is out of service; absent: it is in service.</summary>
    public HostDrain? Report() => _drain?.Report();

    private static HostDrain? Read(byte[] kept)
    {
        try
        {
            return JsonSerializer.Deserialize(kept, ContractsJson.Default.HostDrain);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed class Drain(DateTimeOffset since)
    {
        private long _healthChecks;
        private long _lastRequest;

        public void Note(bool isHealthCheck, DateTimeOffset now)
        {
            if (isHealthCheck)
            {
                Interlocked.Increment(ref _healthChecks);
            }
            else
            {
                Volatile.Write(ref _lastRequest, now.UtcTicks);
            }
        }

        public HostDrain Report() => new()
        {
            Since = since,
            HealthChecks = Interlocked.Read(ref _healthChecks),
            LastRequest = Volatile.Read(ref _lastRequest) is not 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        };
    }
}
