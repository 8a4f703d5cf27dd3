using Wunderproxy.Controller.Docker;

namespace Wunderproxy.Controller.Observing;

/// <summary>Keeps an event stream to the engine. Events are hints: each only says that the containers are to be listed again.</summary>
internal sealed partial class EngineSession(IContainerEngine engine, IReadOnlyDictionary<string, string> labels, Action changed, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    // The loss that was told, until the engine is reached again.
    private string? _told;
    private volatile EngineLink _link = new(null, null, "The engine has not been reached yet");

    /// <summary>Whether the stream is open, and since when.</summary>
    public EngineLink Link => _link;

    /// <summary>Moves the time since which the stream is open along with the clock.</summary>
    public void MoveTimes(ClockJump jump)
    {
        if (_link is { OpenSince: { } since } link)
            Interlocked.CompareExchange(ref _link, link with { OpenSince = jump.Move(since) }, link);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = time.GetTimestamp();
            try
            {
                await FollowAsync(cancellationToken);
                Lose("The engine closed its event stream");
            }
            catch (EngineException exception)
            {
                Lose(exception.Message);
            }

            // Only a session that lasted is followed by a quick try: an engine that takes calls and fails them isn't asked without a pause.
            if (time.GetElapsedTime(began) >= LongestPause)
                pause = FirstPause;
            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (var engineEvent in engine.WatchAsync(labels, cancellationToken))
        {
            if (engineEvent == EngineEvent.Connected)
                _link = new EngineLink(time.GetUtcNow(), _link.Info, null);
            changed();
            if (engineEvent == EngineEvent.Connected)
                await IntroduceAsync(cancellationToken);
        }
    }

    // The containers are looked at meanwhile: an engine takes its time to tell about itself.
    private async Task IntroduceAsync(CancellationToken cancellationToken)
    {
        var info = await engine.GetInfoAsync(cancellationToken);
        EngineLink link;
        do link = _link;
        while (Interlocked.CompareExchange(ref _link, link with { Info = info }, link) != link);
        LogReached(info.Version, info.ApiVersion);
        _told = null;
        changed();
    }

    private void Lose(string reason)
    {
        if (_told is null || _link.Info is null && _told != reason)
            LogLost(_told = reason);
        _link = new EngineLink(null, _link.Info, reason);
        changed();
    }

    [LoggerMessage(310, LogLevel.Information, "Reached Docker Engine {Version}, API {ApiVersion}")]
    private partial void LogReached(string version, string apiVersion);

    [LoggerMessage(311, LogLevel.Warning, "Lost the Docker Engine; what runs goes on. {Reason}")]
    private partial void LogLost(string reason);
}

/// <summary>The link to the engine.</summary>
/// <param name="OpenSince">Since when whatever happens is seen; absent: nothing is seen at present.</param>
/// <param name="Info">The engine, as it was when last reached.</param>
/// <param name="Failure">Why nothing is seen.</param>
internal sealed record EngineLink(DateTimeOffset? OpenSince, EngineInfo? Info, string? Failure)
{
    public bool IsOpen => OpenSince is not null;
}
