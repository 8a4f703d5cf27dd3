using System.Buffers;

namespace Wunderproxy.Proxy.Sockets;

/// <summary>Bytes of a connection that were received and not used yet. While there are none, it holds no memory.</summary>
/// <param name="socket">Where they come from.</param>
/// <param name="isAdaptive">Whether a connection that has filled what it was given gets more at once the next time; else whoever receives says so.</param>
internal sealed class ReceiveBuffer(LoopSocket socket, bool isAdaptive) : IDisposable
{
    private const int Small = 4 << 10;
    private const int Large = 64 << 10;
    private const int Largest = 128 << 10;

    private byte[]? _bytes;
    private int _start;
    private int _end;
    private bool _isBusy;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes is null ? default : _bytes.AsMemory(_start, _end - _start);

    /// <summary>How many.</summary>
    public int Count => _end - _start;

    /// <summary>Receives what is there, behind what it has.</summary>
    /// <param name="isMuch">Whether much is expected.</param>
    /// <returns>As <see cref="LoopSocket.Receive"/>.</returns>
    /// <exception cref="IOException">The connection is broken or was aborted, or there is no room for more.</exception>
    public int Fill(bool isMuch = false)
    {
        MakeRoom(isMuch || _isBusy);
        var room = _bytes!.Length - _end;
        var received = socket.Receive(_bytes.AsSpan(_end));
        if (received > 0)
        {
            _end += received;

            _isBusy = isAdaptive && received == room;
        }

        ReleaseIfEmpty();
        return received;
    }

    /// <summary>Forgets the first bytes.</summary>
    public void Consume(int count)
    {
        _start += count;
        ReleaseIfEmpty();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _start = _end;
        ReleaseIfEmpty();
    }

    private void MakeRoom(bool isMuch)
    {
        if (_bytes is null)
        {
            _bytes = ArrayPool<byte>.Shared.Rent(isMuch ? Large : Small);
            return;
        }

        if (_end < _bytes.Length)
        {
            return;
        }

        Move(_start > 0 ? _bytes.Length : _bytes.Length < Large ? Large : Largest);
    }

    private void Move(int size)
    {
        if (Count >= size)
        {
            throw new IOException("More was received than there is room for.");
        }

        var bytes = ArrayPool<byte>.Shared.Rent(size);
        Bytes.CopyTo(bytes);
        ArrayPool<byte>.Shared.Return(_bytes!);
        (_bytes, _start, _end) = (bytes, 0, Count);
    }

    private void ReleaseIfEmpty()
    {
        if (_start == _end && _bytes is { } bytes)
        {
            (_bytes, _start, _end) = (null, 0, 0);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
