namespace Wunderproxy.Proxy.WebSockets;

/// <summary>Knows where the frames of one direction of a WebSocket begin and end. It looks at headers only; payloads are counted, never read.</summary>
/// <remarks>
/// Source: RFC 6455, section 5.2. The first byte has the opcode, the second one says whether a mask of 4 bytes follows, and the length: up to 125, or 126 for
/// one in the next 2 bytes, or 127 for one in the next 8. A length that no frame may have is a frame that never ends.
/// </remarks>
internal struct FrameWatcher
{
    private const int Opcode = 0x0F;
    private const int CloseOpcode = 0x08;
    private const int Mask = 0x80;

    private ulong _payloadLeft;
    private int _headerLeft;
    private int _lengthLeft;
    private int _headerRead;
    private bool _isClose;

    /// <summary>Whether the next byte begins a frame.</summary>
    public readonly bool IsBetweenFrames => _headerRead == 0;

    /// <summary>Whether a Close frame has come to its end.</summary>
    public bool HasClosed { get; private set; }

    /// <summary>Whether a frame that begins with a byte is a Close.</summary>
    public static bool IsClose(byte first) => (first & Opcode) == CloseOpcode;

    /// <summary>Takes bytes up to the end of the frame that they belong to, or all where it isn't among them.</summary>
    /// <param name="bytes">What comes next.</param>
    /// <returns>How many of them were taken.</returns>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        while (count < bytes.Length && (_headerRead < 2 || _headerLeft > 0))
        {
            TakeHeader(bytes[count++]);
        }

        if (_headerRead < 2 || _headerLeft > 0)
        {
            return count;
        }

        var payload = (int)Math.Min(_payloadLeft, (ulong)(bytes.Length - count));
        _payloadLeft -= (ulong)payload;
        if (_payloadLeft == 0)
        {
            HasClosed |= _isClose;
            _headerRead = 0;
        }

        return count + payload;
    }

    private void TakeHeader(byte next)
    {
        _headerRead++;
        switch (_headerRead)
        {
            case 1:
                _isClose = IsClose(next);
                break;
            case 2:
                TakeLength(next);
                break;
            default:
                _headerLeft--;
                TakeLongLength(next);
                break;
        }
    }

    private void TakeLength(byte next)
    {
        _lengthLeft = (next & ~Mask) switch
        {
            127 => 8,
            126 => 2,
            _ => 0,
        };
        _payloadLeft = _lengthLeft > 0 ? 0 : (ulong)(next & ~Mask);
        _headerLeft = _lengthLeft + ((next & Mask) == 0 ? 0 : 4);
    }

    // What follows the length is the mask.
    private void TakeLongLength(byte next)
    {
        if (_lengthLeft > 0)
        {
            _lengthLeft--;
            _payloadLeft = (_payloadLeft << 8) | next;
        }
    }
}
