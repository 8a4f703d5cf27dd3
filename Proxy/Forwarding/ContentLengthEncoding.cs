using System.Text;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Reads requests' <c>Content-Length</c> as digits; anything else as what Kestrel refuses.</summary>
/// <remarks>Kestrel itself takes "+2", "-0", white space of any kind and NUL around the digits, and breaks off where there are many.</remarks>
internal sealed class ContentLengthEncoding : Encoding
{
    // As many as 2^63 - 1 has.
    private const int MostDigits = 19;
    private const string Refused = "x";

    /// <inheritdoc/>
    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    /// <inheritdoc/>
    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    /// <inheritdoc/>
    public override int GetCharCount(byte[] bytes, int index, int count) => AreDigits(bytes.AsSpan(index, count)) ? count : Refused.Length;

    /// <inheritdoc/>
    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    /// <inheritdoc/>
    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        if (AreDigits(bytes))
        {
            return Latin1.GetChars(bytes, chars);
        }

        Refused.CopyTo(chars);
        return Refused.Length;
    }

    /// <inheritdoc/>
    public override int GetMaxByteCount(int charCount) => charCount;

    /// <inheritdoc/>
    public override int GetMaxCharCount(int byteCount) => Math.Max(byteCount, Refused.Length);

    private static bool AreDigits(ReadOnlySpan<byte> bytes) =>
        bytes.Length is > 0 and <= MostDigits && !bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
