using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>What happened, line by line. Its digest tells whether two runs were the same.</summary>
internal sealed class Story(VirtualThread thread, bool isDetailed) : ILoggerFactory, ILoggerProvider
{
    private const int KeptLines = 400;
    private const ulong Prime = 1099511628211;

    private readonly Queue<string> _lines = new();
    private ulong _digest = 14695981039346656037;

    /// <summary>Whether details are told, too: they are no part of the digest.</summary>
    public bool IsDetailed { get; } = isDetailed;

    /// <summary>Lines so far, without details.</summary>
    public int Count { get; private set; }

    public string Digest => _digest.ToString("x16", CultureInfo.InvariantCulture);

    public void Tell(string who, string what)
    {
        Count++;
        foreach (var c in who)
            _digest = (_digest ^ c) * Prime;
        foreach (var c in what)
            _digest = (_digest ^ c) * Prime;
        _digest = (_digest ^ (ulong)thread.Now) * Prime;
        Add(who, what);
    }

    public void TellDetail(string who, string what)
    {
        if (IsDetailed)
            Add(who, what);
    }

    public string Tail(int lines) => string.Join('\n', _lines.TakeLast(lines));

    public ILogger CreateLogger(string categoryName) => new Teller(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private void Add(string who, string what)
    {
        _lines.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{thread.Now / (double)TimeSpan.TicksPerSecond,10:0.0000} {who,-12} {what}"));
        if (_lines.Count > (IsDetailed ? 100 * KeptLines : KeptLines))
            _lines.Dequeue();
    }

    private sealed class Teller(Story story, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= (story.IsDetailed ? LogLevel.Debug : LogLevel.Information);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel < LogLevel.Information)
                story.TellDetail(category, formatter(state, exception));
            else
                story.Tell(category, $"{logLevel}: {formatter(state, exception)}");
        }
    }
}
