using System.Buffers;
using System.Collections.Concurrent;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>Memory of pieces, used again and again. An answer of some megabytes fills hundreds of them at once, which the runtime's own pool would drop: they would be garbage each time.</summary>
/// <remarks>A pool of the runtime that is made to keep more would keep it for ever; what this one keeps goes back to the shared one, which gives it up in time, once no body needs it.</remarks>
/// <param name="most">Bytes that are kept for use.</param>
internal sealed class PiecePool(long most)
{
    private readonly ConcurrentStack<byte[]> _free = new();
    private int _kept;

    /// <summary>Memory for a piece; it may be longer, and has anything in it.</summary>
    public byte[] Rent(int size) => size == Spool.PieceSize && TryTake() is { } bytes ? bytes : ArrayPool<byte>.Shared.Rent(size);

    /// <summary>Takes it back.</summary>
    public void Return(byte[] bytes)
    {
        if (bytes.Length == Spool.PieceSize && Volatile.Read(ref _kept) < most / Spool.PieceSize)
        {
            Interlocked.Increment(ref _kept);
            _free.Push(bytes);
        }
        else
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Keeps nothing any more, until something is returned.</summary>
    public void Clear()
    {
        while (TryTake() is { } bytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private byte[]? TryTake()
    {
        if (!_free.TryPop(out var bytes))
        {
            return null;
        }

        Interlocked.Decrement(ref _kept);
        return bytes;
    }
}
