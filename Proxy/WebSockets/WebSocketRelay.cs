using Microsoft.AspNetCore.Connections;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>One WebSocket between a client and its target, from the upgrade to its end.</summary>
/// <remarks>
/// When its target drains, both sides are told to close at a moment between two frames (<see cref="CloseHandshake"/>). After that each side's own Close ends its
/// direction, and a side that doesn't answer within the grace is cut.
/// </remarks>
internal sealed class WebSocketRelay : IOpenWebSocket, IAsyncDisposable
{
    // Neither side has sent a byte for ten minutes. Applications' own limits are shorter; this one is for lost peers.
    private const int QuietTicks = 10;
    private static readonly TimeSpan Tick = TimeSpan.FromMinutes(1);

    // For those that are cut before they could be told in time.
    private static readonly TimeSpan LastGrace = TimeSpan.FromSeconds(1);

    private readonly Claim _claim;
    private readonly ClientTransport _transport;
    private readonly CloseHandshake _handshake = new();
    private readonly WebSocketDirection _toApplication;
    private readonly WebSocketDirection _toClient;
    private readonly CancellationTokenSource _end;
    private readonly ITimer _ticking;
    private Task _telling = Task.CompletedTask;
    private Exception? _failure;
    private TimeSpan _grace;
    private int _isEnded;
    private int _told;
    private (uint Moves, int Ticks) _quiet;

    /// <param name="client">The client's connection.</param>
    /// <param name="application">The application's connection.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <param name="transport">What is under the client's connection: broken off with it, so that nobody waits until the client reads.</param>
    /// <param name="time">Clock of its limits.</param>
    public WebSocketRelay(Stream client, Stream application, Claim claim, ClientTransport transport, TimeProvider time)
    {
        _claim = claim;
        _transport = transport;
        _toApplication = new WebSocketDirection(client, application, CloseFrame.ForApplication(), _handshake, CountTold);
        _toClient = new WebSocketDirection(application, client, CloseFrame.ForClient, _handshake, CountTold);
        _end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _ticking = time.CreateTimer(static relay => ((WebSocketRelay)relay!).LookForMoves(), this, Tick, Tick);
    }

    /// <summary>Carries bytes both ways until the WebSocket ends.</summary>
    /// <param name="clientGone">Cancelled when the client has left.</param>
    /// <returns>Why it was broken off; absent: it ended in order.</returns>
    public async Task<Exception?> RunAsync(CancellationToken clientGone)
    {
        await using (_end.Token.UnsafeRegister(static relay => ((WebSocketRelay)relay!).End(new IOException("A side of the WebSocket didn't answer that it closes.")), this))
        await using (clientGone.UnsafeRegister(static relay => ((WebSocketRelay)relay!).LoseClient(), this))
        await using (_claim.Cut.UnsafeRegister(static relay => ((WebSocketRelay)relay!).BeCut(), this))
        {
            _claim.Upstream.WebSockets.Enter(this);
            await Task.WhenAll(RunAsync(_toApplication, endsBoth: false), RunAsync(_toClient, endsBoth: true));
            _claim.Upstream.WebSockets.Leave(this);
        }

        End(null);
        await _telling;
        return _failure;
    }

    /// <inheritdoc/>
    public void Close(TimeSpan grace) => TryClose(grace);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ticking.DisposeAsync();
        _end.Dispose();
        _toApplication.Dispose();
        _toClient.Dispose();
    }

    private bool TryClose(TimeSpan grace)
    {
        // Before it begins, for whoever passes bytes on then may be the first to tell.
        _grace = grace;
        if (!_handshake.TryBegin())
        {
            return false;
        }

        _telling = Task.WhenAll(TellAsync(_toClient), TellAsync(_toApplication));
        return true;
    }

    private void BeCut()
    {
        if (TryClose(LastGrace))
        {
            _end.CancelAfter(LastGrace);
        }
        else
        {
            End(new IOException("The time of its release was over."));
        }
    }

    // A client that was told may leave before the application has answered.
    private void LoseClient()
    {
        if (!_handshake.IsOurs)
        {
            End(new IOException("The client has left."));
        }
    }

    private async Task TellAsync(WebSocketDirection direction)
    {
        try
        {
            await direction.CloseAsync(_end.Token);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Who passes bytes on meets it too.
        }
    }

    private void CountTold()
    {
        if (Interlocked.Increment(ref _told) == 2)
        {
            _end.CancelAfter(_grace);
        }
    }

    private async Task RunAsync(WebSocketDirection direction, bool endsBoth)
    {
        try
        {
            await direction.RunAsync(_end.Token);
            if (!direction.IsClosed && (endsBoth || _handshake.IsOurs))
            {
                End(endsBoth ? null : new IOException("The client has left in the middle of a frame."));
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Behind the Close there is nothing to lose: a side that was told may leave as it likes.
            if (e is not OperationCanceledException && !direction.IsClosed)
            {
                End(e);
            }
        }
    }

    private void End(Exception? failure)
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            _failure = failure;
            if (failure is not null)
            {
                _transport.Abort(new ConnectionAbortedException(failure.Message));
            }

            _end.Cancel();
        }
    }

    private void LookForMoves()
    {
        var moves = _toApplication.Moves + _toClient.Moves;
        _quiet = moves == _quiet.Moves ? (moves, _quiet.Ticks + 1) : (moves, 0);
        if (_quiet.Ticks >= QuietTicks)
        {
            End(new NothingMovedException());
        }
    }
}
