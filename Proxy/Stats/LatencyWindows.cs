namespace Wunderproxy.Proxy.Stats;

/// <summary>Latencies of the last 15 minutes, in slices of 10 s that are used in turn.</summary>
internal sealed class LatencyWindows
{
    private const int SliceSeconds = 10;
    private const int Slices = (15 * 60 / SliceSeconds) + 2;

    private readonly Lock _turning = new();
    private readonly Slice?[] _slices = new Slice?[Slices];

    /// <summary>Counts a request that ended at the given second.</summary>
    public void Record(long second, TimeSpan duration, bool isError)
    {
        var number = second / SliceSeconds;
        var slice = Volatile.Read(ref _slices[number % Slices]);
        if (slice is null || Volatile.Read(ref slice.Number) != number)
        {
            slice = Turn(number);
        }

        slice.Latencies.Record(duration);
        if (isError)
        {
            Interlocked.Increment(ref slice.Errors);
        }
    }

    /// <summary>Adds what ended in the given number of minutes before the given second; the beginning is rounded down to a slice.</summary>
    public void AddTo(WindowSum sum, long second, int minutes)
    {
        var newest = second / SliceSeconds;
        var oldest = newest - (minutes * 60 / SliceSeconds);
        for (var i = 0; i < Slices; i++)
        {
            if (Volatile.Read(ref _slices[i]) is { } slice && Volatile.Read(ref slice.Number) is var number && number >= oldest && number <= newest)
            {
                sum.Add(slice.Latencies, Volatile.Read(ref slice.Errors));
            }
        }
    }

    // Once in 10 s. A recorder that read the clock just before another one turned the slice would have to sleep for 15 minutes
    // to count into the wrong one.
    private Slice Turn(long number)
    {
        lock (_turning)
        {
            var slice = _slices[number % Slices] ??= new Slice { Number = number };
            if (slice.Number != number)
            {
                slice.Latencies.Clear();
                slice.Errors = 0;
                Volatile.Write(ref slice.Number, number);
            }

            return slice;
        }
    }

    private sealed class Slice
    {
        public long Number;
        public long Errors;

        public LatencyHistogram Latencies { get; } = new();
    }
}
