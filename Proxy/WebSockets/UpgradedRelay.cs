using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.WebSockets;

/// <summary>One upgraded connection between a client and its target, from the upgrade to its end.</summary>
/// <remarks>
/// When the target of a WebSocket drains, both sides are told to close at a moment between two frames (<see cref="CloseHandshake"/>). After that each side's own
/// Close ends its direction, and a side that doesn't answer within the grace is cut. Of other protocols nothing is known but bytes: they are cut.
/// </remarks>
internal sealed class UpgradedRelay : IOpenWebSocket, IDisposable
{
    // For those that are cut before they could be told in time.
    private static readonly TimeSpan LastGrace = TimeSpan.FromSeconds(1);

    private readonly Exchange _exchange;
    private readonly Stream _client;
    private readonly Stream _application;
    private readonly Claim _claim;
    private readonly bool _isWebSocket;
    private readonly CloseHandshake _handshake = new();
    private readonly WebSocketDirection _toApplication;
    private readonly WebSocketDirection _toClient;
    private readonly CancellationTokenSource _end;
    private Task _telling = Task.CompletedTask;
    private Exception? _failure;
    private TimeSpan _grace;
    private int _isEnded;
    private int _told;

    /// <param name="exchange">The request, whose client is broken off with it, so that nobody waits until the client reads.</param>
    /// <param name="client">The client's side.</param>
    /// <param name="application">The application's side. Disposing it frees whoever reads or writes.</param>
    /// <param name="claim">The hold on the target.</param>
    /// <param name="isWebSocket">Whether frames of WebSockets are what it carries.</param>
    public UpgradedRelay(Exchange exchange, Stream client, Stream application, Claim claim, bool isWebSocket)
    {
        _exchange = exchange;
        _application = application;
        _claim = claim;
        _isWebSocket = isWebSocket;
        _client = client;
        _toApplication = new WebSocketDirection(client, application, CloseFrame.ForApplication(), _handshake, CountTold);
        _toClient = new WebSocketDirection(application, client, CloseFrame.ForClient, _handshake, CountTold);
        _end = new CancellationTokenSource(Timeout.InfiniteTimeSpan, claim.Upstream.Time);
    }

    /// <summary>Carries bytes both ways until it ends in order.</summary>
    /// <param name="clientGone">Cancelled when the client has left.</param>
    /// <exception cref="IOException">It was broken off.</exception>
    public async Task RunAsync(CancellationToken clientGone)
    {
        await using (_end.Token.UnsafeRegister(static relay => ((UpgradedRelay)relay!).End(new IOException("A side of the WebSocket didn't answer that it closes.")), this))
        await using (clientGone.UnsafeRegister(static relay => ((UpgradedRelay)relay!).LoseClient(), this))
        await using (_claim.Cut.UnsafeRegister(static relay => ((UpgradedRelay)relay!).BeCut(), this))
        {
            await CarryAsync();
        }

        End(null);
        await _telling;
        if (_failure is not null)
        {
            throw _failure;
        }
    }

    /// <inheritdoc/>
    public void Close(TimeSpan grace) => TryClose(grace);

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Dispose();
        _toApplication.Dispose();
        _toClient.Dispose();
    }

    private async Task CarryAsync()
    {
        if (_isWebSocket)
        {
            _claim.Upstream.WebSockets.Enter(this);
        }

        // The end of a client's connection is told otherwise; that of its stream is known from nothing else.
        await Task.WhenAll(RunAsync(_toApplication, endsBoth: _exchange.IsMultiplexed), RunAsync(_toClient, endsBoth: true));
        if (_isWebSocket)
        {
            _claim.Upstream.WebSockets.Leave(this);
        }
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
        if (_isWebSocket && TryClose(LastGrace))
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
                _exchange.BreakOff();
            }

            _end.Cancel();
            _application.Dispose();
            (_client as SocketStream)?.Stop();
        }
    }
}
