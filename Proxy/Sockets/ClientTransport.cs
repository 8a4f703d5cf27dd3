using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A client's connection as Kestrel sees it. Until the client has sent something it is little more than the socket.</summary>
internal sealed class ClientTransport : ConnectionContext, IDuplexPipe, ISocketEvents, IConnectionHeartbeatFeature, IConnectionLifetimeNotificationFeature
{
    private static readonly TimeSpan LingerLimit = TimeSpan.FromSeconds(2);

    // Where what a client still sends is thrown away. Nobody looks at it.
    private static readonly byte[] Scrap = new byte[4096];
    private static long lastId;

    private readonly LoopSocket _socket;
    private readonly ClientConnection _client;
    private readonly TimeProvider _time;
    private SocketReader? _input;
    private SocketWriter? _output;
    private FeatureCollection? _features;
    private Ending _end;
    private Action<ClientTransport>? _onFirstEvent;
    private Action<ClientTransport>? _onEnd;
    private int _isKnown;
    private uint _moves;
    private volatile bool _isResting;
    private volatile bool _isKept;
    private volatile bool _speaksTls;
    private bool _isIntroduced;
    private string? _id;
    private IDictionary<object, object?>? _items;
    private IDuplexPipe? _transport;
    private Action? _beat;

    /// <param name="loop">Where it waits.</param>
    /// <param name="socket">The connection, which belongs to this from now on.</param>
    /// <param name="remote">Where the client comes from; absent: a Unix socket.</param>
    /// <param name="client">What is counted of it.</param>
    /// <param name="time">Clock of how long closing may take.</param>
    public ClientTransport(EventLoop loop, NativeSocket socket, IPEndPoint? remote, ClientConnection client, TimeProvider time)
    {
        _socket = new LoopSocket(loop, socket, this);
        _client = client;
        _time = time;
        RemoteEndPoint = remote;
    }

    /// <summary>The same connection once more, as if it had just come.</summary>
    /// <param name="former">What it was before; it is used no more.</param>
    public ClientTransport(ClientTransport former)
    {
        _socket = former._socket;
        _client = former._client;
        _time = former._time;
        RemoteEndPoint = former.RemoteEndPoint;
        _isIntroduced = former._isIntroduced;
        Ground = former.Ground;
        ConnectionClosedRequested = former.ConnectionClosedRequested;
    }

    /// <inheritdoc/>
    public PipeReader Input => _input ??= new SocketReader(_socket);

    /// <inheritdoc/>
    public PipeWriter Output => _output ??= new SocketWriter(_socket);

    /// <summary>Where what is written is sent as it is; absent: it is encrypted before.</summary>
    public SocketWriter? PlainOutput => Transport.Output as SocketWriter;

    /// <summary>What Kestrel reads, where it gets it as it has come; absent: it is decrypted before.</summary>
    public SocketReader? PlainInput => PlainOutput is null ? null : _input;

    /// <inheritdoc cref="LoopSocket.Unread"/>
    public int Unread => _socket.Unread;

    /// <inheritdoc cref="LoopSocket.IsEnding"/>
    public bool IsEnding => _socket.IsEnding;

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _transport ?? this;
        set => _transport = value;
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _id ??= Interlocked.Increment(ref lastId).ToString(CultureInfo.InvariantCulture);
        set => _id = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _features ??= NewFeatures();

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _end.Token;
        set => throw new NotSupportedException("The connection itself says when it is closed.");
    }

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    /// <summary>What it has of features besides its own; absent: nothing.</summary>
    public IFeatureCollection? Ground { get; init; }

    /// <inheritdoc/>
    public CancellationToken ConnectionClosedRequested { get; set; }

    /// <summary>The loop.</summary>
    public EventLoop Loop => _socket.Loop;

    /// <inheritdoc cref="LoopSocket.Moves"/>
    public uint Moves => _socket.Moves;

    /// <summary>Whether the client is gone.</summary>
    public bool IsClosed => _end.IsOver;

    /// <summary>Whether the client has left, and nothing of it is left to read.</summary>
    public bool IsAtEnd() => _socket.IsAtEnd();

    /// <summary>Looks whether the client has left, which whoever reads may meet before the loop tells it.</summary>
    public void LookForEnd()
    {
        if (HasLeft())
        {
            _end.End();
        }
    }

    /// <summary>Whether Kestrel has forgotten the connection, and another one like it goes on with it.</summary>
    public bool IsResting => _isResting;

    /// <summary>Whether somebody in front has said where the client comes from, which is in <see cref="ConnectionContext.RemoteEndPoint"/> since then.</summary>
    public bool IsIntroduced => _isIntroduced;

    /// <summary>Notes that it was said where the client comes from: once on a connection, also where Kestrel forgets it meanwhile.</summary>
    public void Introduce() => _isIntroduced = true;

    /// <summary>Begins to watch for what the client sends.</summary>
    /// <param name="isAnew">Whether it was watched before, as another one.</param>
    /// <param name="onFirstEvent">Called once, when it has sent something or left.</param>
    /// <param name="onEnd">Called once, when it is used no more.</param>
    /// <exception cref="IOException">The kernel can't watch any more.</exception>
    public void Watch(bool isAnew, Action<ClientTransport> onFirstEvent, Action<ClientTransport> onEnd)
    {
        (_onFirstEvent, _onEnd) = (onFirstEvent, onEnd);
        if (isAnew)
        {
            _socket.Follow(this);
        }
        else
        {
            _socket.Watch();
        }
    }

    /// <inheritdoc/>
    public void RequestClose() => throw new NotSupportedException("The connections of a listener are asked to end together.");

    /// <inheritdoc/>
    public void OnHeartbeat(Action<object> action, object state) => Volatile.Write(ref _beat, Volatile.Read(ref _beat) + (() => action(state)));

    /// <summary>Lets whoever serves it look at its limits of time.</summary>
    public void Beat() => Volatile.Read(ref _beat)?.Invoke();

    /// <summary>Takes it out of those that nobody knows but the listener: whoever is the first has it.</summary>
    public bool TryBecomeKnown() => Interlocked.Exchange(ref _isKnown, 1) == 0;

    /// <summary>Says that whoever serves it must not forget it, as it has more to remember than that a request has ended.</summary>
    public void Keep() => _isKept = true;

    /// <summary>Says that its bytes are encrypted, and those who use it get and give them through its <see cref="Transport"/>.</summary>
    public void SpeakTls() => _isKept = _speaksTls = true;

    /// <summary>Lets Kestrel forget the connection, if nothing has moved on it since this was last called and no request runs.</summary>
    public void RestIfQuiet()
    {
        var isQuiet = _moves == _socket.Moves && _client.IsIdle && !_isKept && !_isResting && Volatile.Read(ref _isKnown) == 1;
        _moves = _socket.Moves;
        if (isQuiet)
        {
            Loop.End(new Rest(this));
        }
    }

    /// <summary>Sends bytes past Kestrel, in front of what it writes next; encrypted where it speaks TLS. Nothing is sent while something that was written before is still on its way.</summary>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (Transport.Output is GatheringWriter { IsSending: false } output)
        {
            await output.WriteAsync(bytes, CancellationToken.None);
        }
    }

    /// <summary>The connection's bytes past Kestrel, which neither reads nor writes any more, as after an upgrade.</summary>
    public SocketStream TakeOver()
    {
        _ = Input;
        return new SocketStream(_socket, _input!.Received);
    }

    /// <inheritdoc cref="LoopSocket.WakeAt"/>
    public void WakeAt(int unread) => _socket.WakeAt(unread);

    /// <inheritdoc cref="LoopSocket.WaitUntilReadableAsync"/>
    public ValueTask WaitForBytesAsync() => _socket.WaitUntilReadableAsync();

    /// <summary>Makes whoever waits for bytes look again, on the loop's thread. May be called on any thread.</summary>
    public void WakeReceiver() => Loop.End(new Waking(_socket));

    /// <summary>Aborts a connection when the client leaves, or at once if it has left.</summary>
    /// <param name="follower">The connection; absent: none any more.</param>
    public void EndsToo(LoopSocket? follower) => _end.EndsToo(follower);

    /// <inheritdoc/>
    public void On(SocketEvents events)
    {
        if ((events & (SocketEvents.Ended | SocketEvents.Failed)) != 0 || ((events & SocketEvents.OtherSideEnded) != 0 && HasLeft()))
        {
            _end.End();
        }

        if (Interlocked.Exchange(ref _onFirstEvent, null) is { } onFirstEvent)
        {
            onFirstEvent(this);
        }
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        _socket.ResetOnClose();
        _socket.Abort();
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _isResting &= !_socket.IsAborted && !IsClosed;
        if (!_isResting)
        {
            await EndAsync();
        }

        _end.Dispose();
        await base.DisposeAsync();
        _onEnd?.Invoke(this);
    }

    private async ValueTask EndAsync()
    {
        if (_input is not null)
        {
            await _input.CompleteAsync();
            await Output.CompleteAsync();
            if (!_socket.IsAborted && _socket.MayHaveUnread())
            {
                await LingerAsync();
            }
        }

        _socket.Dispose();
        _end.End();
        _client.Leave();
    }

    // In TLS a client says that it leaves, and nobody may be about to read that.
    private bool HasLeft()
    {
        if (!_speaksTls)
        {
            return _socket.IsAtEnd();
        }

        Span<byte> unread = stackalloc byte[TlsRecord.LongestAlert];
        return TlsRecord.IsEnd(unread[.._socket.Peek(unread)]);
    }

    // What has come by then, and what waits for it, is known on the loop's thread only.
    private void RestIfWaiting()
    {
        if (_moves == _socket.Moves && _client.IsIdle && _input is { IsWaiting: true } && _output is null or { UnflushedBytes: 0, IsSending: false } && !IsClosed)
        {
            _isResting = true;
            _client.Rest();
            _input.LetGo();
        }
    }

    private FeatureCollection NewFeatures()
    {
        var features = Ground is { } ground ? new FeatureCollection(ground) : new FeatureCollection(8);
        features.Set(this);
        features.Set(_client);
        features.Set<IConnectionHeartbeatFeature>(this);
        features.Set<IConnectionLifetimeNotificationFeature>(this);
        return features;
    }

    private sealed class Waking(LoopSocket socket) : ISocketEvents
    {
        public void On(SocketEvents events) => socket.WakeReceiver();
    }

    private sealed class Rest(ClientTransport transport) : ISocketEvents
    {
        public void On(SocketEvents events) => transport.RestIfWaiting();
    }

    // Closing while bytes are unread would break the connection off, and the client might lose the end of its answer.
    private async Task LingerAsync()
    {
        _socket.ShutDownSending();
        await using var limit = _time.CreateTimer(static socket => ((LoopSocket)socket!).Abort(), _socket, LingerLimit, Timeout.InfiniteTimeSpan);
        try
        {
            while (_socket.Receive(Scrap) is var received and not 0)
            {
                if (received == NativeSocket.WouldBlock)
                {
                    await _socket.WaitUntilReadableAsync();
                }
            }
        }
        catch (IOException)
        {
            // It is broken off, by the client or because its time is over.
        }
    }
}
