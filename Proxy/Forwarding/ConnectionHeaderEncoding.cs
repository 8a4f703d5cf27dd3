using System.Text;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Reads requests' <c>Connection</c> headers as Latin-1, but such that Kestrel doesn't shorten them.</summary>
/// <remarks>
/// Kestrel replaces a value in which it finds exactly one of <c>close</c>, <c>keep-alive</c> and <c>upgrade</c> by that word alone, and the
/// names that the value nominates are lost. So <c>close</c> and <c>keep-alive</c> are marked, which hides them from Kestrel, and
/// <c>upgrade</c> gets <c>keep-alive</c> beside it, which changes nothing in HTTP/1.1. <see cref="ConnectionHeader"/> closes the
/// connection where <c>close</c> was marked, and after an upgrade in HTTP/1.0. A line that says <c>keep-alive</c> and nothing else isn't
/// marked, for Kestrel must see it in HTTP/1.0; what remains unseen is a nomination in another line beside it.
/// </remarks>
internal sealed class ConnectionHeaderEncoding : Encoding
{
    /// <summary>What stands for <c>close</c>.</summary>
    public const string MarkedClose = "close" + Mark;

    private const string Mark = "*";

    /// <inheritdoc/>
    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    /// <inheritdoc/>
    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    /// <inheritdoc/>
    public override int GetCharCount(byte[] bytes, int index, int count) => Read(bytes.AsSpan(index, count)).Length;

    /// <inheritdoc/>
    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        var text = Read(bytes.AsSpan(byteIndex, byteCount));
        text.CopyTo(chars.AsSpan(charIndex));
        return text.Length;
    }

    /// <inheritdoc/>
    public override int GetMaxByteCount(int charCount) => charCount;

    /// <inheritdoc/>
    public override int GetMaxCharCount(int byteCount) => (2 * byteCount) + ", keep-alive".Length;

    /// <exception cref="DecoderFallbackException">There is a control character; Kestrel refuses the request. Another line could hide it from later checks.</exception>
    private static string Read(ReadOnlySpan<byte> bytes)
    {
        var text = Latin1.GetString(bytes);
        if (RequestChecks.HasControls(text))
        {
            throw new DecoderFallbackException("The Connection header has a control character.");
        }

        if (text.Equals("keep-alive", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        // Not all that .NET calls white space: a control byte must stay where it is, to be refused.
        var words = text.Split(',').Select(word => word.Trim(' ', '\t')).ToArray();
        return words.Contains("upgrade", StringComparer.OrdinalIgnoreCase)
            ? text + ", keep-alive"
            : string.Join(", ", words.Select(word => IsOption(word) ? word.ToLowerInvariant() + Mark : word));
    }

    private static bool IsOption(string word) =>
        word.Equals("close", StringComparison.OrdinalIgnoreCase) || word.Equals("keep-alive", StringComparison.OrdinalIgnoreCase);
}
