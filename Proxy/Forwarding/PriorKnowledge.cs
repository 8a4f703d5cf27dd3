using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Looks at the first bytes of a connection: a client that knows that HTTP/2 is spoken here begins with its preface, and is handed over to the listener for HTTP/2.</summary>
/// <remarks>
/// Kestrel tells the protocols apart by TLS only; on one port without it, it would serve HTTP/1.1 to everybody. Nothing is consumed here, and a client is known to
/// have sent something, so looking costs nothing that the next reader wouldn't pay. Source: RFC 9113, sections 3.3 and 3.4.
/// </remarks>
/// <param name="http2">Where clients that speak HTTP/2 go.</param>
/// <param name="headLimit">How long what may still become the preface may take.</param>
/// <param name="time">Clock of the limit.</param>
internal sealed class PriorKnowledge(InnerListener http2, TimeSpan headLimit, TimeProvider time)
{
    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Connection middleware: lets all others go on as HTTP/1.1.</summary>
    public ConnectionDelegate Watch(ConnectionDelegate next) => connection => Look(connection.Transport.Input) is { } isHttp2
        ? ServeAsync(connection, isHttp2, next)
        : WaitAndServeAsync(connection, next);

    private Task ServeAsync(ConnectionContext connection, bool isHttp2, ConnectionDelegate next) => isHttp2 ? http2.HandOverAsync(connection) : next(connection);

    private async Task WaitAndServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        bool isHttp2;
        try
        {
            isHttp2 = await WaitAsync(connection);
        }
        catch (OperationCanceledException)
        {
            // Its time is over, or the Proxy stops: the connection is closed.
            return;
        }

        await ServeAsync(connection, isHttp2, next);
    }

    private async Task<bool> WaitAsync(ConnectionContext connection)
    {
        var stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var limit = new CancellationTokenSource(headLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync(either.Token);
                if (Judge(connection.Transport.Input, read) is { } isHttp2)
                {
                    return isHttp2;
                }
            }
        }
        catch (IOException)
        {
            return false;
        }
    }

    // Absent: it isn't clear yet. A connection that is broken is so for the next reader, too, who knows what to do about it.
    private static bool? Look(PipeReader input)
    {
        try
        {
            return input.TryRead(out var read) ? Judge(input, read) : null;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool? Judge(PipeReader input, in ReadResult read)
    {
        var isPreface = IsPreface(read.Buffer);
        input.AdvanceTo(read.Buffer.Start, isPreface is null ? read.Buffer.End : read.Buffer.Start);
        return isPreface ?? (read.IsCompleted ? false : null);
    }

    private static bool? IsPreface(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> beginning = stackalloc byte[(int)Math.Min(bytes.Length, Preface.Length)];
        bytes.Slice(0, beginning.Length).CopyTo(beginning);
        return !Preface.StartsWith(beginning) ? false : beginning.Length == Preface.Length ? true : null;
    }
}
