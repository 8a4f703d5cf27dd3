using System.IO.Compression;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Compressing;

/// <summary>Compresses the body of an answer on its way to the client.</summary>
/// <remarks>
/// Whenever the application has nothing more to give for now, what it has given is compressed to its end and passed on, so that no byte waits for a later one. The levels are those beyond which a page
/// becomes little smaller and takes much longer. Pieces that take long are compressed on a thread of the pool: an event loop has others to serve.
/// </remarks>
internal sealed class Compressor : IAsyncDisposable
{
    private const int BrotliQuality = 3;
    private const int GzipLevel = 4;

    // Some 50 µs.
    private const int SmallBytes = 4 << 10;

    private readonly Gate _gate;
    private readonly Stream _stream;

    /// <param name="coding">With what.</param>
    /// <param name="output">Where it goes.</param>
    /// <param name="end">Frees whoever waits until more may be written.</param>
    public Compressor(ContentCoding coding, Stream output, CancellationToken end)
    {
        _gate = new Gate(output, end);
        _stream = coding == ContentCoding.Brotli
            ? new BrotliStream(_gate, new BrotliCompressionOptions { Quality = BrotliQuality })
            : new GZipStream(_gate, new ZLibCompressionOptions { CompressionLevel = GzipLevel });
    }

    /// <summary>Compresses some bytes; what comes out of it may wait for more.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length > SmallBytes && EventLoop.Current is not null)
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }

        await _stream.WriteAsync(bytes, CancellationToken.None);
    }

    /// <summary>Passes on all that was written.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    public Task FlushAsync() => _stream.FlushAsync(CancellationToken.None);

    /// <summary>Ends the body.</summary>
    /// <exception cref="IOException">The client is gone.</exception>
    public async ValueTask EndAsync()
    {
        await _stream.DisposeAsync();
        _gate.IsShut = true;
    }

    /// <summary>Gives back what it has; a body that wasn't ended stays without an end.</summary>
    public ValueTask DisposeAsync()
    {
        _gate.IsShut = true;
        return _stream.DisposeAsync();
    }

    // What is disposed writes its end.
    private sealed class Gate(Stream output, CancellationToken end) : AsyncStream
    {
        public bool IsShut { get; set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            IsShut ? ValueTask.CompletedTask : output.WriteAsync(buffer, end);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
