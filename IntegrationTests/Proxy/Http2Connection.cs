using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>One frame.</summary>
internal sealed class Http2Frame(Http2FrameType type, byte flags, int stream, string payload)
{
    public Http2FrameType Type => type;

    public int Stream => stream;

    public string Payload => payload;

    /// <summary>Whether no frame of its stream follows.</summary>
    public bool EndsStream => Type == Http2FrameType.Reset || (Type is Http2FrameType.Headers or Http2FrameType.Data && (flags & 1) == 1);

    /// <summary>What a RST_STREAM or, behind the last stream, a GOAWAY says.</summary>
    public int Error => BinaryPrimitives.ReadInt32BigEndian(Encoding.Latin1.GetBytes(Payload[^4..]));

    /// <summary>The status at the beginning of headers: one of the static table by its number there, or its digits, where no headers with that status came before. Source: RFC 7541, sections 6.1 and 6.2.2.</summary>
    public int Status => Payload[0] switch
    {
        '\x88' => 200,
        '\x89' => 204,
        '\x8B' => 304,
        '\x8C' => 400,
        '\x8D' => 404,
        _ => int.Parse(Payload.AsSpan(2, 3), System.Globalization.CultureInfo.InvariantCulture),
    };
}

/// <summary>Types of frames. Source: RFC 9113, section 6.</summary>
internal enum Http2FrameType
{
    Data = 0,
    Headers = 1,
    Reset = 3,
    Settings = 4,
    GoAway = 7,
    WindowUpdate = 8,
}

/// <summary>A client, or an application, that speaks HTTP/2 frame by frame; headers are sent without compression. Every wait ends after 10 s.</summary>
internal sealed class Http2Connection(RawConnection connection) : IAsyncDisposable
{
    public const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    public const string NoSettings = "\0\0\0\x4\0\0\0\0\0";

    private readonly List<Http2Frame> _seen = [];
    private int _looked;

    /// <summary>Frames that came so far.</summary>
    public IReadOnlyList<Http2Frame> Seen => _seen;

    public static async Task<Http2Connection> ConnectAsync(IPEndPoint address)
    {
        var connection = new Http2Connection(await RawConnection.ConnectAsync(address));
        await connection.SendAsync(Preface + NoSettings);
        return connection;
    }

    /// <summary>The application's side of a connection.</summary>
    public static async Task<Http2Connection> AcceptAsync(RawConnection accepted)
    {
        Assert.Equal(Preface, await accepted.ReadAsync(Preface.Length));
        var connection = new Http2Connection(accepted);
        await connection.SendAsync(NoSettings);
        return connection;
    }

    public static (string Name, string Value)[] Get(string path = "/") => Request("GET", path);

    public static (string Name, string Value)[] Request(string method, string path) =>
        [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")];

    public Task SendAsync(string bytes) => connection.SendAsync(bytes);

    public Task SendHeadersAsync(int stream, (string Name, string Value)[] fields, bool isLast = true) =>
        connection.SendAsync(HeadersOf(stream, fields, isLast));

    public Task SendDataAsync(int stream, string data, bool isLast = true) => connection.SendAsync(Frame(Http2FrameType.Data, isLast ? 1 : 0, stream, data));

    /// <param name="stream">The stream.</param>
    /// <param name="error">8 is CANCEL. Source: RFC 9113, section 7.</param>
    public Task ResetAsync(int stream, int error = 8) => connection.SendAsync(ResetOf(stream, error));

    /// <summary>Says which stream is the last one that it begins with.</summary>
    public Task GoAwayAsync(int lastStream) => connection.SendAsync(Frame(Http2FrameType.GoAway, 0, 0, $"\0\0{Two(lastStream)}\0\0\0\0"));

    /// <summary>Begins streams and resets each at once, as long as the other side takes it.</summary>
    public Task TryFloodAsync(int streams) =>
        connection.TrySendAsync(string.Concat(Enumerable.Range(0, streams).Select(i => (2 * i) + 1).Select(stream => HeadersOf(stream, Get(), isLast: true) + ResetOf(stream))));

    /// <summary>Reads until a frame of this type has come on the stream, behind those that were asked for before.</summary>
    public async Task<Http2Frame> ReadAsync(Http2FrameType type, int stream = 0)
    {
        while (true)
        {
            for (; _looked < _seen.Count; _looked++)
            {
                if (_seen[_looked].Type == type && _seen[_looked].Stream == stream)
                    return _seen[_looked++];
            }

            await ReadFrameAsync();
        }
    }

    /// <summary>Reads until such a frame has come.</summary>
    public async Task ReadUntilAsync(Predicate<Http2Frame> isLast)
    {
        while (!_seen.Exists(isLast))
        {
            await ReadFrameAsync();
        }
    }

    /// <summary>Reads until a stream has ended, whatever comes meanwhile on others.</summary>
    /// <returns>Its status and body; the body of one that was reset ends with ~.</returns>
    public async Task<(int Status, string Body)> AnswerAsync(int stream)
    {
        await ReadUntilAsync(frame => frame.Stream == stream && frame.EndsStream);
        var frames = _seen.Where(frame => frame.Stream == stream).ToList();
        var body = string.Concat(frames.Where(frame => frame.Type == Http2FrameType.Data).Select(frame => frame.Payload));
        var isWhole = frames.Exists(frame => frame.EndsStream && frame.Type != Http2FrameType.Reset);
        return (frames.Find(frame => frame.Type == Http2FrameType.Headers)?.Status ?? 0, isWhole ? body : body + "~");
    }

    public Task WaitForEndAsync() => connection.WaitForEndAsync();

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    private static string Text(string text) =>
        text.Length < 127 ? (char)text.Length + text : throw new ArgumentException("Longer texts need more than one byte for their length.", nameof(text));

    private static string HeadersOf(int stream, (string Name, string Value)[] fields, bool isLast) =>
        Frame(Http2FrameType.Headers, isLast ? 5 : 4, stream, string.Concat(fields.Select(field => $"\0{Text(field.Name)}{Text(field.Value)}")));

    private static string ResetOf(int stream, int error = 8) => Frame(Http2FrameType.Reset, 0, stream, $"\0\0{Two(error)}");

    private static string Frame(Http2FrameType type, int flags, int stream, string payload) =>
        $"\0{Two(payload.Length)}{(char)type}{(char)flags}\0\0{Two(stream)}{payload}";

    private static string Two(int number) => $"{(char)(number >> 8)}{(char)(number & 0xFF)}";

    private async Task ReadFrameAsync()
    {
        var head = Encoding.Latin1.GetBytes(await connection.ReadAsync(9));
        var length = (head[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(1));
        _seen.Add(new Http2Frame((Http2FrameType)head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)), await connection.ReadAsync(length)));
    }
}
