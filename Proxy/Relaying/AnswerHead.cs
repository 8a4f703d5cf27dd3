using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>The head of an application's answer, read strictly: what could be read in two ways is refused.</summary>
/// <remarks>
/// Kept and used again for the next answer on the same connection. Applications send much the same head each time, so the texts of the former one are
/// taken again where the bytes are the same, and nothing is allocated.
/// </remarks>
internal sealed class AnswerHead
{
    private const int MaxFields = 1000;

    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // Everything below the space but the tab, and DEL.
    private static readonly SearchValues<byte> ForbiddenBytes =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Where(b => b != '\t').Select(b => (byte)b), 0x7F]);

    private Field[] _fields = new Field[16];
    private string _reason = "";
    private int _lengths;
    private int _encodings;

    /// <summary>The status, 100 to 999.</summary>
    public int Status { get; private set; }

    /// <summary>Whether no other answer to the same request follows.</summary>
    public bool IsFinal => Status is >= 200 or 101;

    /// <summary>The words behind the status; absent: the usual ones.</summary>
    public string? Reason { get; private set; }

    /// <summary>Number of fields.</summary>
    public int Count { get; private set; }

    /// <summary>What <c>Content-Length</c> says; absent: there is none.</summary>
    public long? Length { get; private set; }

    /// <summary>Whether the body comes in chunks.</summary>
    public bool IsChunked => _encodings > 0;

    /// <summary>Whether it is an answer of HTTP/1.1.</summary>
    public bool IsHttp11 { get; private set; }

    /// <summary>The fields in their order.</summary>
    public ReadOnlySpan<Field> Fields => _fields.AsSpan(0, Count);

    /// <summary>Finds the end of a head.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <returns>Bytes of the head with its empty line; -1: it isn't whole yet.</returns>
    public static int FindEnd(ReadOnlySpan<byte> bytes)
    {
        for (var position = 0; ;)
        {
            var end = bytes[position..].IndexOf((byte)'\n');
            if (end < 0)
            {
                return -1;
            }

            position += end + 1;
            if (end == 0 || (end == 1 && bytes[position - 2] == '\r'))
            {
                return position;
            }
        }
    }

    /// <summary>Reads a whole head.</summary>
    /// <exception cref="InvalidAnswerException">It isn't one, or could be read in two ways.</exception>
    public void Read(ReadOnlySpan<byte> head)
    {
        (Count, Length, _lengths, _encodings) = (0, null, 0, 0);
        ReadStatus(NextLine(ref head));
        for (var line = NextLine(ref head); !line.IsEmpty; line = NextLine(ref head))
        {
            ReadField(line);
        }

        if (_encodings > 0 && (_lengths > 0 || _encodings > 1 || !IsHttp11))
        {
            throw new InvalidAnswerException("Its length could be read in two ways.");
        }
    }

    /// <summary>Reads one line of trailers into a field.</summary>
    /// <exception cref="InvalidAnswerException">It isn't one.</exception>
    public static (string Name, string Value) ReadTrailer(ReadOnlySpan<byte> line)
    {
        var value = Split(line.ContainsAny(ForbiddenBytes) ? throw new InvalidAnswerException("Its trailers have a byte that none may have.") : line, out var name);
        return (Encoding.Latin1.GetString(name), Encoding.Latin1.GetString(value));
    }

    /// <summary>Whether the connection becomes one of a protocol.</summary>
    public bool SwitchesTo(string protocol)
    {
        if (Status != StatusCodes.Status101SwitchingProtocols)
        {
            return false;
        }

        var named = 0;
        foreach (ref readonly var field in Fields)
        {
            if (field.Name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase))
            {
                named += field.Value.Equals(protocol, StringComparison.OrdinalIgnoreCase) ? 1 : 2;
            }
        }

        return named == 1;
    }

    private static ReadOnlySpan<byte> NextLine(ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'\n');
        var line = rest[..end];
        rest = rest[(end + 1)..];
        line = line.EndsWith("\r"u8) ? line[..^1] : line;
        return line.ContainsAny(ForbiddenBytes) ? throw new InvalidAnswerException("Its head has a byte that none may have.") : line;
    }

    // HTTP/1.1 200 OK
    private void ReadStatus(ReadOnlySpan<byte> line)
    {
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' ' || (line.Length > 12 && line[12] != ' ')
            || !Utf8Parser.TryParse(line[9..12], out int status, out var digits) || digits != 3 || status < 100)
        {
            throw new InvalidAnswerException("Its first line is not that of an answer.");
        }

        IsHttp11 = line[7] == '1';
        Status = status;
        ReadReason(line.Length > 13 ? line[13..] : default);
    }

    private void ReadReason(ReadOnlySpan<byte> reason)
    {
        if (!Ascii.Equals(reason, _reason))
        {
            _reason = Encoding.Latin1.GetString(reason);
        }

        Reason = _reason.Length == 0 || _reason == ReasonPhrases.GetReasonPhrase(Status) ? null : _reason;
    }

    private void ReadField(ReadOnlySpan<byte> line)
    {
        var value = Split(line, out var name);
        if (Count == _fields.Length)
        {
            Array.Resize(ref _fields, Count < MaxFields ? 2 * Count : throw new InvalidAnswerException("It has too many headers."));
        }

        ref var field = ref _fields[Count++];
        field.Set(name, value);
        if (field.Kind == FieldKind.Length)
        {
            _lengths++;
            Length = _lengths == 1 ? ReadLength(value) : throw new InvalidAnswerException("It has several lengths.");
        }
        else if (field.Kind == FieldKind.Encoding)
        {
            _encodings += Ascii.EqualsIgnoreCase(value, "chunked"u8) ? 1 : throw new InvalidAnswerException("Its body is encoded in a way that isn't served.");
        }
    }

    private static ReadOnlySpan<byte> Split(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> name)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(TokenBytes))
        {
            throw new InvalidAnswerException("A line of its head is not a header.");
        }

        name = line[..colon];
        return line[(colon + 1)..].Trim(" \t"u8);
    }

    private static long ReadLength(ReadOnlySpan<byte> value) =>
        !value.IsEmpty && !value.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(value, out long length, out _)
            ? length
            : throw new InvalidAnswerException("Its length is not a number.");

    /// <summary>What a field means to whoever passes it on.</summary>
    internal enum FieldKind
    {
        /// <summary>It is passed on.</summary>
        Plain,

        /// <summary><c>Content-Length</c>.</summary>
        Length,

        /// <summary><c>Transfer-Encoding</c>.</summary>
        Encoding,

        /// <summary><c>Connection</c>.</summary>
        Connection,

        /// <summary><c>Trailer</c>.</summary>
        Trailer,

        /// <summary><c>Content-Type</c>.</summary>
        Type,

        /// <summary><c>X-Accel-Buffering</c>, with which an application tells the proxy in front of it whether the answer may be kept; as nginx does, it isn't passed on.</summary>
        Buffering,

        /// <summary>Meant for this hop only.</summary>
        Hop,
    }

    /// <summary>One header field.</summary>
    internal struct Field
    {
        /// <summary>Its name.</summary>
        public string Name { get; private set; }

        /// <summary>Its value.</summary>
        public string Value { get; private set; }

        /// <summary>Its meaning.</summary>
        public FieldKind Kind { get; private set; }

        /// <summary>Takes what was received, or keeps what it has where that is the same.</summary>
        public void Set(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (Name is null || !Ascii.Equals(name, Name))
            {
                var text = Encoding.Latin1.GetString(name);
                Name = string.IsInterned(text) ?? text;
                Kind = KindOf(text);
            }

            if (Value is null || !Ascii.Equals(value, Value))
            {
                Value = Encoding.Latin1.GetString(value);
            }
        }

        private static FieldKind KindOf(string name) => name.ToLowerInvariant() switch
        {
            "content-length" => FieldKind.Length,
            "transfer-encoding" => FieldKind.Encoding,
            "connection" => FieldKind.Connection,
            "trailer" => FieldKind.Trailer,
            "content-type" => FieldKind.Type,
            "x-accel-buffering" => FieldKind.Buffering,
            var lower => HopHeaders.Contains(lower) ? FieldKind.Hop : FieldKind.Plain,
        };
    }
}
