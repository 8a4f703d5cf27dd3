using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Http2;

/// <summary>A request's body on its way to the application: each piece is sent as it comes, beside the answer. It can be sent from its beginning again as long as nothing of it was taken.</summary>
/// <param name="exchange">The request.</param>
/// <param name="maxBytes">Bytes that it may have; absent: any.</param>
/// <param name="patience">How long the application may take.</param>
internal sealed class Http2RequestBody(Exchange exchange, long? maxBytes, Patience patience) : HttpContent
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _passing = Task.CompletedTask;

    /// <summary>Whether something of it was taken: the request can't be sent again.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Whether it was given up because it is longer than it may be.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>What is wrong with it; absent: nothing so far.</summary>
    public BadHttpRequestException? ClientFailure { get; private set; }

    /// <summary>Takes no more of it, and waits until whoever takes it has done so.</summary>
    public async Task EndAsync()
    {
        Task passing;
        lock (_lock)
        {
            _end.Cancel();
            passing = _passing;
        }

        await passing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.TrySetResult();
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await BeginAsync(stream, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The stream was reset. The client knows why, and says so unless this is the first to fail.
            await _ended.Task;
            throw;
        }
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _end.Dispose();
        base.Dispose(disposing);
    }

    private Task BeginAsync(Stream stream, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _end.Token.ThrowIfCancellationRequested();
            return _passing = PassOnAsync(_passing, stream, cancellationToken);
        }
    }

    private async Task PassOnAsync(Task former, Stream stream, CancellationToken cancellationToken)
    {
        await former.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (IsTaken)
        {
            throw new IOException("The request can't be sent again, for its body was begun.");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, cancellationToken);
        try
        {
            while (!await TryPassEndOnAsync(exchange.Body, stream, either.Token))
            {
                // The next piece.
            }

            exchange.LineGuard?.ChunksEnded();
            patience.Sent();
        }
        catch (BadHttpRequestException e)
        {
            ClientFailure = e;
            throw;
        }
    }

    private async Task<bool> TryPassEndOnAsync(PipeReader body, Stream stream, CancellationToken cancellationToken)
    {
        if (!body.TryRead(out var read))
        {
            // What is there must not wait for what the client has still to send.
            await stream.FlushAsync(cancellationToken);
            read = await body.ReadAsync(cancellationToken);
        }

        try
        {
            IsTaken |= !read.Buffer.IsEmpty;
            exchange.BytesIn += read.Buffer.Length;
            IsTooLarge = exchange.BytesIn > maxBytes;
            if (IsTooLarge)
            {
                throw new IOException("The request's body is longer than it may be.");
            }

            foreach (var bytes in read.Buffer)
            {
                await stream.WriteAsync(bytes, cancellationToken);
                patience.Moved();
            }

            return read.IsCompleted;
        }
        finally
        {
            body.AdvanceTo(read.Buffer.End);
        }
    }
}
