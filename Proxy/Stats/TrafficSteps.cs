namespace Wunderproxy.Proxy.Stats;

/// <summary>What a recorder has counted in each step of the last minutes, from looks at its counts. Steps in which nothing happened take no memory. Not thread-safe.</summary>
/// <param name="counts">All that was counted until the latest look.</param>
/// <param name="stepSeconds">Length of a step.</param>
/// <param name="keptSeconds">How long steps are kept.</param>
internal sealed class TrafficSteps(TrafficCounts counts, int stepSeconds, int keptSeconds)
{
    private readonly Queue<TrafficStep> _ended = [];
    private readonly TrafficCounts _former = new();
    private long _start;
    private long _maxMicroseconds;
    private bool _isOpen;

    /// <summary>The steps, the oldest first. The last one may go on.</summary>
    public IEnumerable<TrafficStep> All => Open() is { } open ? _ended.Append(open) : _ended;

    /// <summary>Takes note that more was counted since the last look: it belongs to the step in which that was.</summary>
    /// <param name="maxMicroseconds">The largest duration since then.</param>
    public void Take(long maxMicroseconds)
    {
        _isOpen = true;
        _maxMicroseconds = Math.Max(_maxMicroseconds, maxMicroseconds);
    }

    /// <summary>Goes on to the step in which it is now. Where the clock was set back, the steps that are to come again are dropped.</summary>
    /// <param name="second">Unix time, in seconds.</param>
    public void Advance(long second)
    {
        var start = second - (second % stepSeconds);
        if (start == _start)
        {
            return;
        }

        if (start < _start)
        {
            _ended.Clear();
        }

        if (Open() is { } ended)
        {
            _ended.Enqueue(ended);
            _former.CopyFrom(counts);
            (_isOpen, _maxMicroseconds) = (false, 0);
        }

        _start = start;
        while (_ended.TryPeek(out var oldest) && (oldest.Start < start - keptSeconds || oldest.Start > start))
        {
            _ended.Dequeue();
        }
    }

    private TrafficStep? Open() => _isOpen ? counts.Since(_former, _start, _maxMicroseconds) : null;
}
