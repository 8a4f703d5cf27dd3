using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>Puts a line together in memory that has room for it. All that is written is ASCII.</summary>
/// <param name="bytes">Where to.</param>
internal ref struct LineWriter(Span<byte> bytes)
{
    /// <summary>The most bytes that one character of a text becomes.</summary>
    public const int MaxEscape = 6;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    private readonly Span<byte> _bytes = bytes;

    /// <summary>Bytes that were written.</summary>
    public int Length { get; private set; }

    private static ReadOnlySpan<byte> Digits => "0123456789abcdef"u8;

    private readonly Span<byte> Room => _bytes[Length..];

    /// <summary>Writes bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> raw)
    {
        raw.CopyTo(Room);
        Length += raw.Length;
    }

    /// <summary>Writes a text. What isn't printable, quotes and backslashes are escaped, by the rules of JSON.</summary>
    public void WriteJson(scoped ReadOnlySpan<char> text)
    {
        for (var at = WritePlain(text); at < text.Length; at += 1 + WritePlain(text[(at + 1)..]))
        {
            Write("\\u"u8);
            WriteHex(text[at] >> 8);
            WriteHex(text[at]);
        }
    }

    /// <summary>Writes a text. What isn't printable, quotes and backslashes are escaped as nginx and Apache do: <c>\x22</c>. Each character is a byte of a header.</summary>
    public void WriteEscaped(scoped ReadOnlySpan<char> text)
    {
        for (var at = WritePlain(text); at < text.Length; at += 1 + WritePlain(text[(at + 1)..]))
        {
            Write("\\x"u8);
            WriteHex(text[at]);
        }
    }

    /// <summary>Writes a number.</summary>
    /// <param name="number">The number.</param>
    /// <param name="digits">At least so many.</param>
    public void Write(long number, byte digits = 1)
    {
        _ = Utf8Formatter.TryFormat(number, Room, out var length, digits == 1 ? default : new StandardFormat('D', digits));
        Length += length;
    }

    /// <summary>Writes a duration in milliseconds, to the microsecond.</summary>
    public void Write(TimeSpan duration)
    {
        var microseconds = Math.Max(0, duration.Ticks / TimeSpan.TicksPerMicrosecond);
        Write(microseconds / 1000);
        Write("."u8);
        Write(microseconds % 1000, 3);
    }

    // Up to the first character that is to be escaped: how many these are.
    private int WritePlain(scoped ReadOnlySpan<char> text)
    {
        var special = text.IndexOfAnyExcept(Plain);
        var length = Encoding.ASCII.GetBytes(special < 0 ? text : text[..special], Room);
        Length += length;
        return length;
    }

    private void WriteHex(int number)
    {
        _bytes[Length++] = Digits[(number >> 4) & 0xF];
        _bytes[Length++] = Digits[number & 0xF];
    }
}
