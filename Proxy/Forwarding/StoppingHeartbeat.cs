using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Goes on with the heartbeat of a connection of HTTP/2 while the Proxy stops.</summary>
/// <remarks>
/// Kestrel looks at each beat which streams have ended, and stops its heart before it lets connections end. So a connection that the client keeps open behind the first
/// GOAWAY, and on which nothing more comes, would hold up the stop to its limit, and then be broken off.
/// </remarks>
internal sealed class StoppingHeartbeat : IConnectionHeartbeatFeature, IAsyncDisposable
{
    // Kestrel's own beats may be going on until the first one.
    private static readonly TimeSpan Begin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly IConnectionHeartbeatFeature _kestrel;
    private readonly CancellationTokenRegistration _stopping;
    private readonly ITimer _timer;
    private Action? _beat;

    private StoppingHeartbeat(ConnectionContext connection, TimeProvider time)
    {
        _kestrel = connection.Features.GetRequiredFeature<IConnectionHeartbeatFeature>();
        _timer = time.CreateTimer(static heartbeat => ((StoppingHeartbeat)heartbeat!).Beat(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var stop = connection.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().ConnectionClosedRequested;
        _stopping = stop.UnsafeRegister(static timer => ((ITimer)timer!).Change(Begin, Interval), _timer);
    }

    /// <summary>Connection middleware.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Provide(TimeProvider time) => next => async connection =>
    {
        await using var heartbeat = new StoppingHeartbeat(connection, time);
        connection.Features.Set<IConnectionHeartbeatFeature>(heartbeat);
        await next(connection);
    };

    /// <inheritdoc/>
    public void OnHeartbeat(Action<object> action, object state)
    {
        _kestrel.OnHeartbeat(action, state);
        Volatile.Write(ref _beat, () => action(state));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.DisposeAsync();
        await _timer.DisposeAsync();
    }

    private void Beat() => Volatile.Read(ref _beat)?.Invoke();
}
