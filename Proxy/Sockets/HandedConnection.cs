using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>A connection that was handed to an <see cref="InnerListener"/>. It has all of the other one but its end: that is told, and left to the one who handed it over.</summary>
/// <remarks>
/// Kestrel loses streams in a flood of resets, and then waits for their end for ever. So once it has given the connection up, or the client has, it has a minute to have done with it:
/// long enough to send the rest of an answer to a slow client.
/// </remarks>
internal sealed class HandedConnection : ConnectionContext
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromMinutes(1);

    private readonly ConnectionContext _connection;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer _limit;
    private readonly CancellationTokenRegistration _closing;

    /// <param name="connection">The connection.</param>
    /// <param name="time">Clock of how long its end may take.</param>
    public HandedConnection(ConnectionContext connection, TimeProvider time)
    {
        _connection = connection;
        _limit = time.CreateTimer(static ended => ((TaskCompletionSource)ended!).TrySetResult(), _ended, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _closing = connection.ConnectionClosed.UnsafeRegister(static handed => ((HandedConnection)handed!).BeginEnd(), this);
        var output = new FramedWriter((GatheringWriter)connection.Transport.Output);
        Transport = new Pipe(new Reader(connection.Transport.Input, this), output);

        // What the next server says about its connection must not replace what the first one says.
        Features = new FeatureCollection(connection.Features);
        Features.Set(output);
    }

    /// <summary>Ends when whoever took it has done with it.</summary>
    public Task Ended => _ended.Task;

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _connection.ConnectionId;
        set => _connection.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _connection.Items;
        set => _connection.Items = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _connection.ConnectionClosed;
        set => _connection.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _connection.LocalEndPoint;
        set => _connection.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => _connection.RemoteEndPoint;
        set => _connection.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        BeginEnd();
        _connection.Abort(abortReason);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _ended.TrySetResult();
        await _closing.DisposeAsync();
        await _limit.DisposeAsync();
        await base.DisposeAsync();
    }

    private void BeginEnd() => _limit.Change(EndLimit, Timeout.InfiniteTimeSpan);

    private sealed record Pipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Notes that nothing more is to be read, which Kestrel says by cancelling.</summary>
    private sealed class Reader(PipeReader inner, HandedConnection connection) : PipeReader
    {
        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => inner.ReadAsync(cancellationToken);

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override void CancelPendingRead()
        {
            connection.BeginEnd();
            inner.CancelPendingRead();
        }
    }
}
