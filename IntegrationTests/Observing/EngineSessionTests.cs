using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Observing;

namespace Wunderproxy.IntegrationTests.Observing;

public sealed class EngineSessionTests
{
    private static readonly IReadOnlyDictionary<string, string> Labels = new Dictionary<string, string>();

    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger _logger = new();

    [Fact]
    public async Task Engine_that_gives_events_and_tells_nothing_about_itself_is_asked_with_pauses_and_reported_lost_once()
    {
        var engine = Watched(describes: false);
        await FollowAsync(engine, TimeSpan.FromSeconds(10));
        Assert.InRange(engine.Connections, 20, 24);
        Assert.Equal(1, Told("Lost"));
    }

    [Fact]
    public async Task Engine_that_ends_its_events_at_once_is_asked_with_pauses()
    {
        var engine = Watched(describes: true);
        await FollowAsync(engine, TimeSpan.FromSeconds(10));
        Assert.InRange(engine.Connections, 20, 24);
        Assert.Equal(Told("Reached"), Told("Lost"));
    }

    private int Told(string word) => _logger.Collector.GetSnapshot().Count(r => r.Message.StartsWith(word, StringComparison.Ordinal));

    private static WatchedEngine Watched(bool describes)
    {
        var engine = DispatchProxy.Create<IContainerEngine, WatchedEngine>();
        ((WatchedEngine)engine).Describes = describes;
        return (WatchedEngine)engine;
    }

    private async Task FollowAsync(WatchedEngine engine, TimeSpan span)
    {
        using var end = new CancellationTokenSource();
        var session = new EngineSession((IContainerEngine)(object)engine, Labels, () => { }, _time, _logger);
        var run = session.RunAsync(end.Token);
        for (var step = TimeSpan.FromMilliseconds(50); span > TimeSpan.Zero; span -= step)
            _time.Advance(step);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    /// <summary>Counts how often its events were asked for, and ends them at once.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
    internal class WatchedEngine : DispatchProxy
    {
        public bool Describes { get; set; }

        public int Connections { get; private set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod?.Name switch
        {
            nameof(IContainerEngine.WatchAsync) => WatchAsync(),
            nameof(IContainerEngine.GetInfoAsync) when Describes => Task.FromResult(new EngineInfo("27.0", "1.46", true, "overlay2")),
            nameof(IContainerEngine.GetInfoAsync) => Task.FromException<EngineInfo>(new EngineException(EngineFault.EngineError, "The engine answered 500")),
            _ => throw new NotSupportedException(),
        };

        private async IAsyncEnumerable<EngineEvent> WatchAsync()
        {
            Connections++;
            yield return EngineEvent.Connected;
            await Task.CompletedTask;
        }
    }
}
