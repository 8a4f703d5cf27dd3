using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Frames of a WebSocket as bytes; text is Latin-1, so each character is one byte.</summary>
internal static class WebSocketFrame
{
    public const int Text = 1;
    public const int Continuation = 0;
    public const int CloseOpcode = 8;

    /// <summary>A Close with 1001 as an application or the Proxy sends it.</summary>
    public const string GoingAway = "\x88\x02\x03\xE9";

    private const string Mask = "mASk";

    /// <summary>A frame, with the shortest form of its length.</summary>
    public static string Of(string payload, bool isMasked, int opcode = Text, bool isFinal = true) =>
        Head(payload.Length, isMasked, opcode, isFinal) + (isMasked ? Masked(payload, Mask) : payload);

    public static string Head(int length, bool isMasked, int opcode = Text, bool isFinal = true)
    {
        var mask = isMasked ? 0x80 : 0;
        var first = (char)((isFinal ? 0x80 : 0) | opcode);
        var size = length switch
        {
            < 126 => Bytes(mask | length),
            <= 0xFFFF => Bytes(mask | 126, length >> 8, length & 0xFF),
            _ => Bytes(mask | 127, 0, 0, 0, 0, length >> 24, (length >> 16) & 0xFF, (length >> 8) & 0xFF, length & 0xFF),
        };
        return first + size + (isMasked ? Mask : "");
    }

    public static string Close(int code, bool isMasked) => Of(Bytes(code >> 8, code & 0xFF), isMasked, CloseOpcode);

    /// <summary>Masks a payload, or takes the mask off again.</summary>
    public static string Masked(string payload, string mask)
    {
        var masked = new StringBuilder(payload.Length);
        for (var i = 0; i < payload.Length; i++)
        {
            masked.Append((char)(payload[i] ^ mask[i % 4]));
        }

        return masked.ToString();
    }

    private static string Bytes(params IEnumerable<int> bytes) => string.Concat(bytes.Select(b => (char)b));
}
