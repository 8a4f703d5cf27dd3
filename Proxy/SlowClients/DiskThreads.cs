using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Threads on which temporary files are made, written and read. There are none before the first use.</summary>
/// <remarks>
/// A write to a file ends at once as long as the kernel has room for it, and takes as long as the disk when it hasn't: the kernel makes those wait who write more than the disk can
/// follow. An event loop has all its clients to serve meanwhile, and the threads of the pool have new connections; so files have threads of their own.
/// What waits for them is bounded by the memory that bodies may have.
/// </remarks>
/// <param name="use">What they are for; a part of their names.</param>
[SuppressMessage("Usage", "CA2213", Justification = "The threads still take from the queue what was posted.")]
internal sealed class DiskThreads(string use) : IDisposable
{
    private const int Count = 3;

    private readonly BlockingCollection<Action> _work = [];
    private readonly Lock _lock = new();
    private volatile bool _isRunning;

    /// <summary>Does work on one of the threads. It may not throw.</summary>
    public void Post(Action work)
    {
        if (!_isRunning)
        {
            Start();
        }

        if (!_work.IsAddingCompleted)
        {
            _work.Add(work);
        }
    }

    /// <summary>Ends the threads, once what was posted is done.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Start()
    {
        lock (_lock)
        {
            for (var i = 0; i < Count && !_isRunning; i++)
            {
                new Thread(Run) { IsBackground = true, Name = $"wp-{use}-{i}" }.UnsafeStart();
            }

            _isRunning = true;
        }
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }
}
