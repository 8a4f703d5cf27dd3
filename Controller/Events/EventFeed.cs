using System.Globalization;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Events;

/// <summary>
/// What <c>GET /events</c> tells: the status whenever it has changed, and what has happened since. The latest events are kept for those who come back. While nobody listens it does nothing.
/// </summary>
/// <param name="operations">Knows the status.</param>
/// <param name="time">The clock.</param>
internal sealed class EventFeed(IOperations operations, TimeProvider time)
{
    /// <summary>Who may listen at once.</summary>
    public const int MaxListeners = 32;

    /// <summary>Events that are kept for those who come back. Of the status only the latest is.</summary>
    public const int RingSize = 256;

    /// <summary>No two statuses follow each other more closely.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    // A client may have got its last event from the process before this one, which counted from 1 as well.
    private readonly string _process = time.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);
    private readonly Lock _gate = new();
    private readonly List<EventListener> _listeners = [];
    private readonly Queue<ServerEvent> _ring = [];
    private StatusDocument? _told;
    private byte[] _toldBytes = [];
    private ServerEvent? _status;
    private long _number;
    private long _dropped;
    private bool _isFollowing;

    /// <summary>Lets somebody listen, from what they have missed on.</summary>
    /// <param name="lastEventId">Id of the last event that they got; absent, or of another process, or too long ago: they get the status first.</param>
    /// <param name="cut">Ends their connection, where they are too slow.</param>
    /// <returns><see langword="null"/> where as many listen as may.</returns>
    public EventListener? Join(string? lastEventId, Action cut)
    {
        lock (_gate)
        {
            if (_listeners.Count >= MaxListeners)
            {
                return null;
            }

            CatchUp();
            var listener = new EventListener(cut);
            foreach (var missed in MissedSince(NumberIn(lastEventId)))
            {
                listener.Tell(missed);
            }

            _listeners.Add(listener);
            if (!_isFollowing)
            {
                _isFollowing = true;
                _ = FollowAsync();
            }

            return listener;
        }
    }

    /// <summary>Lets them go. After the last one the work ends with the next status.</summary>
    public void Leave(EventListener listener)
    {
        lock (_gate)
        {
            _listeners.Remove(listener);
        }
    }

    private async Task FollowAsync()
    {
        while (true)
        {
            // Asked for before the status is read, so that no change falls in between.
            var next = operations.NextStatus;
            lock (_gate)
            {
                if (_listeners.Count == 0)
                {
                    _isFollowing = false;
                    return;
                }

                CatchUp();
            }

            await Task.Delay(Interval, time);
            await next;
        }
    }

    /// <summary>Tells what has happened since it was told last.</summary>
    private void CatchUp()
    {
        var status = operations.Status;
        var bytes = Json(status with { At = default, HeapSize = 0 });
        if (bytes.AsSpan().SequenceEqual(_toldBytes))
        {
            return;
        }

        foreach (var happened in _told is { } told ? HostEvents.Between(told, status) : [])
        {
            Keep(Tell(ServerEvent.Of(_process, ++_number, NameOf(happened.Event), happened, ContractsJson.Default.HostEvent)));
        }

        (_told, _toldBytes) = (status, bytes);
        _status = Tell(ServerEvent.Of(_process, ++_number, "status", Json(status)));
    }

    private ServerEvent Tell(ServerEvent @event)
    {
        _listeners.ForEach(listener => listener.Tell(@event));
        return @event;
    }

    private void Keep(ServerEvent @event)
    {
        _ring.Enqueue(@event);
        if (_ring.Count > RingSize)
        {
            _dropped = _ring.Dequeue().Number;
        }
    }

    private IEnumerable<ServerEvent> MissedSince(long? number)
    {
        var missed = number >= _dropped && number <= _number ? _ring.Where(e => e.Number > number) : [];
        return _status is { } status && (number is null || number < _dropped || number > _number || status.Number > number) ? missed.Append(status) : missed;
    }

    private long? NumberIn(string? id) =>
        id?.Split('-') is [var process, var number] && process == _process && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;

    private static byte[] Json(StatusDocument status) => JsonSerializer.SerializeToUtf8Bytes(status, ContractsJson.Default.StatusDocument);

    private static string NameOf(HostEventKind kind) => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString());
}
