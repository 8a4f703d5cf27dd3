using System.Globalization;
using Amazon.Runtime;
using Amazon.S3.Model;

namespace Wunderproxy.Controller.Store;

/// <summary>The body of an object: each read has a deadline, and every way in which it can break is an <see cref="IOException"/>.</summary>
internal sealed class S3Body(GetObjectResponse response, StoreOptions options) : Stream
{
    private const int ChunkBytes = 16 * 1024;

    public string ETag => response.ETag;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Reads the rest, at most a chunk beyond the limit whatever length was announced.</summary>
    /// <returns>The rest, or <see langword="null"/> if it is larger than the limit.</returns>
    public async Task<byte[]?> ReadWholeAsync(long maxBytes, CancellationToken cancellationToken)
    {
        if (response.ContentLength > maxBytes)
        {
            return null;
        }

        using var content = new MemoryStream();
        var chunk = new byte[ChunkBytes];
        while (await ReadAsync(chunk, cancellationToken) is > 0 and var count)
        {
            if (content.Length + count > maxBytes)
            {
                return null;
            }

            await content.WriteAsync(chunk.AsMemory(0, count), cancellationToken);
        }

        return content.ToArray();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var deadline = new CancellationTokenSource(options.CallDeadline, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await response.ResponseStream.ReadAsync(buffer, either.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw Broken(string.Create(CultureInfo.InvariantCulture, $"nothing came within {options.CallDeadline.TotalSeconds} s"), late);
        }
        catch (AmazonClientException mismatch)
        {
            throw Broken("its content doesn't match its ETag", mismatch);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Objects are read asynchronously only.");

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            response.Dispose();
        }

        base.Dispose(disposing);
    }

    private IOException Broken(string reason, Exception failure) =>
        new($"Object s3://{response.BucketName}/{response.Key} couldn't be read whole: {reason}.", failure);
}
