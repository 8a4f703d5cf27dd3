using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>Writes an interim answer as a client of HTTP/2 gets it.</summary>
/// <remarks>
/// One frame of headers, whose fields are spelled out and put into no table: what Kestrel's frames refer to, before and behind it, stays as it is.
/// Source: RFC 9113, sections 6.2 and 8.1; RFC 7541, section 6.2.2.
/// </remarks>
internal static class InterimFrame
{
    private const int HeadBytes = 9;
    private const byte Headers = 1;
    private const byte EndsHeaders = 4;
    private const byte StatusByName = 8;

    // Every client takes frames of that length.
    private const int MostBytes = 16 << 10;

    /// <summary>The frame; none where it would be longer than every client takes.</summary>
    /// <param name="head">The interim answer.</param>
    /// <param name="stream">The client's stream.</param>
    public static ReadOnlyMemory<byte> Write(AnswerHead head, int stream)
    {
        var frame = new ArrayBufferWriter<byte>(512);
        frame.GetSpan(HeadBytes)[..HeadBytes].Clear();
        frame.Advance(HeadBytes);
        frame.Write<byte>([StatusByName]);
        WriteText(frame, head.Status.ToString(CultureInfo.InvariantCulture));
        foreach (ref readonly var field in head.Fields)
        {
            if (field.Kind is AnswerHead.FieldKind.Plain or AnswerHead.FieldKind.Type)
            {
                frame.Write<byte>([0]);
                WriteText(frame, field.Name.ToLowerInvariant());
                WriteText(frame, field.Value);
            }
        }

        var length = frame.WrittenCount - HeadBytes;
        return length > MostBytes ? default : Begin(frame.WrittenSpan.ToArray(), length, stream);
    }

    private static byte[] Begin(byte[] frame, int length, int stream)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame, (length << 8) | Headers);
        frame[4] = EndsHeaders;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        return frame;
    }

    // Source: RFC 7541, sections 5.1 and 5.2.
    private static void WriteText(ArrayBufferWriter<byte> frame, string text)
    {
        const int inPrefix = 0x7F;
        if (text.Length < inPrefix)
        {
            frame.Write<byte>([(byte)text.Length]);
        }
        else
        {
            frame.Write<byte>([(byte)inPrefix]);
            var rest = text.Length - inPrefix;
            for (; rest >= 0x80; rest >>= 7)
            {
                frame.Write<byte>([(byte)(0x80 | (rest & 0x7F))]);
            }

            frame.Write<byte>([(byte)rest]);
        }

        Encoding.Latin1.GetBytes(text, frame);
    }
}
