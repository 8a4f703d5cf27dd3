using System.Buffers;
using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Reads HTTP/1.1 by the letter and nothing else: what RFC 9112 lets a lenient reader accept is refused here.</summary>
/// <remarks>It shares no code with the Proxy and isn't meant to be quick, so that it can be trusted as the judge.</remarks>
internal static class StrictReader
{
    private const int LongestLength = 19;
    private const int LongestChunkSize = 8;

    private static readonly SearchValues<char> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> HostChars =
        SearchValues.Create("-._~%!$&'()*+,;=:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> Controls = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Where(c => c != '\t').Select(c => (char)c), '\x7F']);

    private enum Liberties
    {
        None,

        /// <summary>What RFC 9112 lets a client write and no proxy sends on: empty lines before a request, chunk extensions, trailers without a value.</summary>
        OfClients,
    }

    private static ReadOnlySpan<byte> LineEnd => "\r\n"u8;

    /// <summary>Reads the first request in the bytes.</summary>
    /// <returns>Absent: its head isn't whole yet.</returns>
    /// <exception cref="NotStrictException">It isn't strictly a request.</exception>
    public static StrictMessage? ReadRequest(ReadOnlySpan<byte> bytes) => ReadRequest(bytes, Liberties.None);

    /// <summary>Reads the first request in the bytes as a client may write it: see <see cref="Liberties.OfClients"/>.</summary>
    /// <inheritdoc cref="ReadRequest(ReadOnlySpan{byte})"/>
    public static StrictMessage? ReadClientsRequest(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (bytes[at..].StartsWith(LineEnd))
        {
            at += LineEnd.Length;
        }

        return ReadRequest(bytes[at..], Liberties.OfClients) is { } request ? request with { Length = request.Length + at } : null;
    }

    /// <summary>Reads the first answer in the bytes.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="hasEnded">Whether the connection was closed in order after the bytes.</param>
    /// <returns>Absent: its head isn't whole yet.</returns>
    /// <exception cref="NotStrictException">It isn't strictly an answer.</exception>
    public static StrictMessage? ReadAnswer(ReadOnlySpan<byte> bytes, string method, bool hasEnded)
    {
        if (ReadHead(bytes) is not var (start, fields, length))
        {
            return null;
        }

        var answer = new StrictMessage { Start = start, Fields = fields, Framing = FramingOfAnswer(start, fields, method) };
        return answer.Framing == Framing.EndOfConnection
            ? answer with { Body = Text(bytes[length..]), Length = bytes.Length, IsWhole = hasEnded }
            : ReadBody(bytes, answer, length, Liberties.None);
    }

    private static StrictMessage? ReadRequest(ReadOnlySpan<byte> bytes, Liberties liberties)
    {
        if (ReadHead(bytes) is not var (start, fields, length))
        {
            return null;
        }

        return ReadBody(bytes, new StrictMessage { Start = start, Fields = fields, Framing = FramingOfRequest(start, fields) }, length, liberties);
    }

    private static (string Start, IReadOnlyList<Field> Fields, int Length)? ReadHead(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var lines = Text(bytes[..end]).Split("\r\n");
        Require(!lines[0].AsSpan().ContainsAny(Controls), $"no control byte in '{lines[0]}'");
        return (lines[0], [.. lines.Skip(1).Select(ReadField)], end + 4);
    }

    private static Field ReadField(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        Require(colon > 0 && !line.AsSpan(0, colon).ContainsAnyExcept(Token), $"a field's name in '{line}'");
        Require(!line.AsSpan().ContainsAny(Controls), $"no control byte in '{line}'");
        return new Field(line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    private static Framing FramingOfRequest(string start, IReadOnlyList<Field> fields)
    {
        var parts = start.Split(' ');
        Require(parts.Length == 3 && parts[0].Length > 0 && !parts[0].AsSpan().ContainsAnyExcept(Token), $"a request line in '{start}'");
        Require(IsTarget(parts[0], parts[1]), $"a target in '{start}'");
        Require(parts[2] is "HTTP/1.1" or "HTTP/1.0", $"a version in '{start}'");
        RequireHost(parts[1], parts[2], [.. fields.Where(field => field.Is("Host")).Select(field => field.Value)]);
        return FramingOf(fields, parts[2] == "HTTP/1.1") ?? Framing.None;
    }

    private static bool IsTarget(string method, string target) =>
        !target.AsSpan().ContainsAnyExceptInRange('\x21', '\x7E')
        && !target.Contains('#', StringComparison.Ordinal)
        && (target.StartsWith('/') || target.StartsWith("http://", StringComparison.Ordinal) || target.StartsWith("https://", StringComparison.Ordinal) || (target == "*" && method == "OPTIONS"));

    private static void RequireHost(string target, string version, List<string> hosts)
    {
        Require(hosts.Count == 1 || (hosts.Count == 0 && version == "HTTP/1.0"), $"one Host, not {hosts.Count}");
        Require(hosts.All(host => !host.AsSpan().ContainsAnyExcept(HostChars)), "a Host of the right characters");
        Require(target.StartsWith('/') || target == "*" || (Uri.TryCreate(target, UriKind.Absolute, out var uri) && hosts.All(host => IsOf(uri, host))), "the same host twice");
    }

    private static bool IsOf(Uri target, string host) =>
        host.Equals(target.Host, StringComparison.OrdinalIgnoreCase) || host.Equals($"{target.Host}:{target.Port}", StringComparison.OrdinalIgnoreCase);

    private static Framing FramingOfAnswer(string start, IReadOnlyList<Field> fields, string method)
    {
        Require(start.Length >= 13 && start.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) && start[12] == ' ', $"a status line in '{start}'");
        Require(int.TryParse(start.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status >= 100, $"a status in '{start}'");
        var framing = FramingOf(fields, isChunkable: true);
        Require(framing is null || status is not (< 200 or 204), $"no body with status {status}");
        return status == 101 ? Framing.EndOfConnection
            : method == "HEAD" || status is < 200 or 204 or 304 ? Framing.None
            : framing ?? Framing.EndOfConnection;
    }

    private static Framing? FramingOf(IReadOnlyList<Field> fields, bool isChunkable)
    {
        var lengths = fields.Where(field => field.Is("Content-Length")).ToList();
        var encodings = fields.Where(field => field.Is("Transfer-Encoding")).ToList();
        Require(lengths.Count + encodings.Count <= 1, "one framing");
        Require(lengths.All(length => length.Value.Length is > 0 and <= LongestLength && length.Value.All(char.IsAsciiDigit) && long.TryParse(length.Value, CultureInfo.InvariantCulture, out _)), "a length of digits");
        Require(encodings.All(encoding => isChunkable && encoding.Value.Equals("chunked", StringComparison.OrdinalIgnoreCase)), "chunked and nothing else");
        return lengths.Count == 1 ? Framing.Length : encodings.Count == 1 ? Framing.Chunks : null;
    }

    private static StrictMessage ReadBody(ReadOnlySpan<byte> bytes, StrictMessage message, int head, Liberties liberties) => message.Framing switch
    {
        Framing.Length => ReadCounted(bytes[head..], message, head),
        Framing.Chunks => ReadChunks(bytes, message, head, liberties),
        _ => message with { Length = head, IsWhole = true },
    };

    private static StrictMessage ReadCounted(ReadOnlySpan<byte> rest, StrictMessage message, int head)
    {
        var length = long.Parse(message.Value("Content-Length")!, CultureInfo.InvariantCulture);
        return rest.Length < length
            ? message with { Body = Text(rest) }
            : message with { Body = Text(rest[..(int)length]), Length = head + (int)length, IsWhole = true };
    }

    private static StrictMessage ReadChunks(ReadOnlySpan<byte> bytes, StrictMessage message, int at, Liberties liberties)
    {
        var body = new StringBuilder();
        while (ReadChunkSize(bytes, ref at, liberties) is { } size)
        {
            if (size == 0)
            {
                return ReadTrailers(bytes, message with { Body = body.ToString() }, at, liberties);
            }

            body.Append(Text(bytes.Slice(at, Math.Min(size, bytes.Length - at))));
            if (bytes.Length - at < size + LineEnd.Length)
            {
                break;
            }

            Require(bytes.Slice(at + size, LineEnd.Length).SequenceEqual(LineEnd), "a line end behind a chunk");
            at += size + LineEnd.Length;
        }

        return message with { Body = body.ToString() };
    }

    private static int? ReadChunkSize(ReadOnlySpan<byte> bytes, ref int at, Liberties liberties)
    {
        var end = bytes[at..].IndexOf(LineEnd);
        if (end < 0)
        {
            return null;
        }

        var line = Text(bytes.Slice(at, end));
        line = liberties == Liberties.OfClients ? WithoutExtension(line) : line;
        Require(line.Length is > 0 and <= LongestChunkSize && line.All(char.IsAsciiHexDigit), $"the size of a chunk in '{line}'");
        at += end + LineEnd.Length;
        var size = long.Parse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        Require(size <= int.MaxValue - LineEnd.Length, "a chunk that can be counted");
        return (int)size;
    }

    private static string WithoutExtension(string line)
    {
        var extension = line.IndexOf(';', StringComparison.Ordinal);
        Require(extension < 0 || line.AsSpan(extension).IndexOfAny('\r', '\n') < 0, "a chunk extension without a line end");
        return extension < 0 ? line : line[..extension];
    }

    private static StrictMessage ReadTrailers(ReadOnlySpan<byte> bytes, StrictMessage message, int at, Liberties liberties)
    {
        var trailers = new List<Field>();
        while (bytes[at..].IndexOf(LineEnd) is >= 0 and var end)
        {
            var line = Text(bytes.Slice(at, end));
            at += end + LineEnd.Length;
            if (line.Length == 0)
            {
                return message with { Trailers = trailers, Length = at, IsWhole = true };
            }

            var field = ReadField(line);
            if (liberties == Liberties.None || field.Value.Length > 0)
            {
                trailers.Add(field);
            }
        }

        return message;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    private static void Require(bool isSo, string what)
    {
        if (!isSo)
        {
            throw new NotStrictException($"It should have {what}.");
        }
    }
}
