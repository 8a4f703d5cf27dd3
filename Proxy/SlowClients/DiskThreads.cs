namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Threads on which temporary files are made, written and read. There are none before the first use.</summary>
/// <remarks>
/// A write to a file ends at once as long as the kernel has room for it, and takes as long as the disk when it hasn't: the kernel makes those wait who write more than the disk can
/// follow. An event loop has all its clients to serve meanwhile, and the threads of the pool have new connections; so files have threads of their own.
/// What waits for them is bounded by the memory that bodies may have. A thread without work sleeps at once, rather than to look for some time whether there is any: what comes is a
/// piece every few milliseconds, and looking for it would take ten times the processor that reading it does.
/// </remarks>
/// <param name="use">What they are for; a part of their names.</param>
internal sealed class DiskThreads(string use) : IDisposable
{
    private const int Count = 3;

    private readonly object _lock = new();
    private readonly Queue<Action> _work = new();
    private bool _isRunning;
    private bool _isEnded;

    /// <summary>Does work on one of the threads. It may not throw.</summary>
    public void Post(Action work)
    {
        lock (_lock)
        {
            if (_isEnded)
            {
                return;
            }

            _work.Enqueue(work);
            Monitor.Pulse(_lock);
            if (!_isRunning)
            {
                _isRunning = true;
                Start();
            }
        }
    }

    /// <summary>Ends the threads, once what was posted is done.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _isEnded = true;
            Monitor.PulseAll(_lock);
        }
    }

    private void Start()
    {
        for (var i = 0; i < Count; i++)
        {
            new Thread(Run) { IsBackground = true, Name = $"wp-{use}-{i}" }.UnsafeStart();
        }
    }

    private void Run()
    {
        while (Next() is { } work)
        {
            work();
        }
    }

    private Action? Next()
    {
        lock (_lock)
        {
            while (_work.Count == 0 && !_isEnded)
            {
                Monitor.Wait(_lock);
            }

            return _work.TryDequeue(out var work) ? work : null;
        }
    }
}
