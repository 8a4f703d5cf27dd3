using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Writes to a <see cref="PacedAnswer"/> what is there already, rather than into its memory.</summary>
/// <param name="answer">The answer, which has begun.</param>
internal sealed class PacedStream(PacedAnswer answer) : AsyncStream
{
    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var memory = answer.GetMemory(buffer.Length);
            var count = Math.Min(memory.Length, buffer.Length);
            buffer.Span[..count].CopyTo(memory.Span);
            answer.Advance(count);
            buffer = buffer[count..];
            await answer.FlushIfMuchAsync();
        }
    }

    /// <summary>Does nothing: <see cref="PacedAnswer.FlushAsync"/> is for whoever knows that nothing more comes for now.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
