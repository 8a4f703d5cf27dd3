using System.Buffers;
using System.Globalization;
using System.Text;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Bytes of a message that are put together before they are sent; text is Latin-1. Memory is held from the first byte until it is disposed.</summary>
internal sealed class HeadWriter : IFieldSink, IDisposable
{
    private const int Initial = 2 << 10;

    private byte[]? _bytes;
    private int _count;

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _count);

    /// <summary>Writes text.</summary>
    public void Write(ReadOnlySpan<char> text) => _count += Encoding.Latin1.GetBytes(text, Room(text.Length));

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        _count += bytes.Length;
    }

    /// <summary>Writes all that is in a pipe.</summary>
    public void Write(KernelPipe pipe)
    {
        var count = pipe.Count;
        pipe.Read(Room(count)[..count]);
        _count += count;
    }

    /// <summary>Writes a number in hexadecimal digits.</summary>
    public void WriteHex(long number)
    {
        _ = number.TryFormat(Room(16), out var count, "X", CultureInfo.InvariantCulture);
        _count += count;
    }

    /// <summary>Writes a header field with its line end.</summary>
    public void WriteField(string name, ReadOnlySpan<char> value)
    {
        Write(name);
        Write(": "u8);
        Write(value);
        Write("\r\n"u8);
    }

    /// <summary>Forgets what was written, but not the memory.</summary>
    public void Clear() => _count = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _count = 0;
        if (_bytes is { } bytes)
        {
            _bytes = null;
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private Span<byte> Room(int count)
    {
        if (_bytes is null || _bytes.Length - _count < count)
        {
            Grow(count);
        }

        return _bytes.AsSpan(_count);
    }

    // What is written is bounded by what Kestrel takes for a request's head, and by the pieces of its body.
    private void Grow(int count)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Math.Max(Initial, Math.Max(2 * _count, _count + count)));
        if (_bytes is { } former)
        {
            former.AsSpan(0, _count).CopyTo(bytes);
            ArrayPool<byte>.Shared.Return(former);
        }

        _bytes = bytes;
    }
}
