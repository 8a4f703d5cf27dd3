using System.Globalization;
using System.Text;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>One correct request and one correct answer to it, always the same ones for a seed: the client and the application each make them from it.</summary>
internal sealed class RandomExchange
{
    private const string Token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int LargestBody = 300_000;

    private static readonly string[] Methods = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY", "PROPFIND", "Custom!"];
    private static readonly string[] RequestNames = ["Accept", "Accept-Language", "Authorization", "Cache-Control", "Content-Type", "Content-Encoding", "If-None-Match", "If-Modified-Since", "Origin", "Range", "Referer", "User-Agent", "Via", "X-Request-Id"];
    private static readonly string[] AnswerNames = ["Accept-Ranges", "Age", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "ETag", "Expires", "Last-Modified", "Location", "Retry-After", "Server", "Set-Cookie", "Vary", "WWW-Authenticate"];
    private static readonly int[] Statuses = [200, 200, 200, 201, 202, 203, 206, 301, 302, 307, 400, 401, 403, 404, 409, 410, 416, 418, 422, 429, 451, 500, 501, 503, 299, 599];
    private static readonly int[] BodySizes = [0, 1, 2, 100, 1_000, 4_095, 4_096, 4_097, 16_384, 65_537];

    private readonly Random _random;

    public RandomExchange(int seed)
    {
        _random = new Random(seed);
        Method = Pick(Methods);
        Request = MakeRequest(seed);
        Answer = MakeAnswer();
    }

    public string Method { get; }

    /// <summary>The request as it is sent, and as it must arrive.</summary>
    public (string Bytes, string Reading) Request { get; }

    /// <summary>The answer as it is sent, and as it must come back.</summary>
    public (string Bytes, string Reading) Answer { get; }

    /// <summary>The interim answer that must come before; empty: none.</summary>
    public string Interims { get; private set; } = "";

    /// <summary>What the application does after the answer.</summary>
    public After Then { get; private set; }

    /// <summary>Whether the client's connection is over after the answer.</summary>
    public bool IsLast { get; private set; }

    /// <summary>The interim answers among those that came, as <see cref="Interims"/> has them.</summary>
    public static string InterimsIn(IEnumerable<StrictMessage> answers) =>
        string.Concat(answers.Where(answer => answer.Status < 200).Select(answer => $"{answer.Start}\nlink: {answer.Value("Link")}\n"));

    /// <summary>A message less what each hop makes anew: framing and what the Proxy adds.</summary>
    public static string Reading(StrictMessage message) =>
        $"{message.Start}\n{string.Join('\n', Lines(message.Fields))}\n\n{message.Body}\n{string.Join('\n', Lines(message.Trailers))}";

    private static IEnumerable<string> Lines(IReadOnlyList<Field> fields) =>
        fields.Where(field => !IsOfTheHop(field.Name)).GroupBy(field => field.Name.ToLowerInvariant()).OrderBy(lines => lines.Key, StringComparer.Ordinal)
            .SelectMany(lines => lines.Key == "set-cookie" ? lines.Select(line => $"{lines.Key}: {line.Value}") : [$"{lines.Key}: {string.Join(", ", lines.Select(line => line.Value))}"]);

    private static bool IsOfTheHop(string name) =>
        name.ToLowerInvariant() is "content-length" or "transfer-encoding" or "connection" or "date" or "expect" or "x-real-ip" or "x-request-id" or "x-request-start" || name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase);

    private (string Bytes, string Reading) MakeRequest(int seed)
    {
        var fields = MakeFields(RequestNames, cookies: "Cookie");
        fields.Add(new Field("Host", Pick(["a", "shop.example:8443", "[::1]"])));
        fields.Add(new Field("X-Seed", seed.ToString(CultureInfo.InvariantCulture)));

        // No # is allowed in a target, and Kestrel refuses %00.
        var target = "/" + Text(_random.Next(60), '\x21', '\x7E').Replace('#', '~').Replace("%00", "%01", StringComparison.Ordinal);
        var framing = _random.Next(3) == 0 ? Framing.Chunks : _random.Next(2) == 0 ? Framing.Length : Framing.None;
        IsLast = _random.Next(10) == 0;
        if (IsLast)
        {
            fields.Add(new Field("Connection", "close"));
        }

        if (framing != Framing.None && _random.Next(10) == 0)
        {
            fields.Add(new Field("Expect", "100-continue"));
        }

        return Make($"{Method} {target} HTTP/1.1", fields, framing, framing == Framing.Chunks && _random.Next(3) == 0);
    }

    private (string Bytes, string Reading) MakeAnswer()
    {
        var status = _random.Next(12) switch { 0 => 204, 1 => 304, _ => Pick(Statuses) };
        var fields = MakeFields(AnswerNames, cookies: "Set-Cookie");
        var hasBody = Method != "HEAD" && status is not (204 or 304);
        var framing = !hasBody ? Framing.None : (Framing)(1 + _random.Next(3));
        Then = framing == Framing.EndOfConnection ? After.Close : After.Keep;
        if (Method == "HEAD" && _random.Next(2) == 0)
        {
            fields.Add(new Field("Content-Length", "12345"));
        }

        // Kestrel writes reasons in ASCII, and one of its own where there is none.
        var answer = Make($"HTTP/1.1 {status} R{Text(_random.Next(20), ' ', '~').TrimEnd(' ')}", fields, framing, framing == Framing.Chunks && _random.Next(3) == 0);
        return (Interim() + answer.Bytes, answer.Reading);
    }

    private string Interim()
    {
        var interim = _random.Next(8);
        Interims = interim == 1 ? "HTTP/1.1 103 Early Hints\nlink: </style.css>; rel=preload\n" : "";
        return interim switch
        {
            0 => "HTTP/1.1 100 Continue\r\n\r\n",
            1 => "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n",
            _ => "",
        };
    }

    private (string Bytes, string Reading) Make(string start, List<Field> fields, Framing framing, bool hasTrailers)
    {
        // Kestrel forgets empty ones.
        List<Field> trailers = hasTrailers ? [new Field("X-Sum", "1" + Value()), new Field("X-" + Word(), "2" + Value())] : [];
        if (hasTrailers)
        {
            fields.Add(new Field("Trailer", string.Join(", ", trailers.Select(trailer => trailer.Name))));
        }

        var body = framing == Framing.None ? "" : Bytes(_random.Next(300) == 0 ? LargestBody : Pick(BodySizes));
        var message = new StrictMessage { Start = start, Fields = fields, Framing = framing, Body = body, Trailers = trailers };
        fields.AddRange(framing switch
        {
            Framing.Length => [new Field("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture))],
            Framing.Chunks => [new Field("Transfer-Encoding", "chunked")],
            _ => [],
        });
        var framed = framing == Framing.Chunks ? $"{Chunks(body)}0\r\n{Lines(trailers, ": ")}\r\n" : body;
        return ($"{start}\r\n{Lines(fields, Pick([":", ": ", ":  "]))}\r\n{framed}", Reading(message));
    }

    private static string Lines(List<Field> fields, string separator) => string.Concat(fields.Select(field => $"{field.Name}{separator}{field.Value}\r\n"));

    private string Chunks(string body)
    {
        var chunks = new StringBuilder();
        for (var at = 0; at < body.Length;)
        {
            var size = Math.Min(1 + _random.Next(Pick([1, 10, 1_000, 20_000]) + (body.Length / 50)), body.Length - at);
            chunks.Append(size.ToString(Pick(["x", "X", "x6"]), CultureInfo.InvariantCulture)).Append("\r\n").Append(body, at, size).Append("\r\n");
            at += size;
        }

        return chunks.ToString();
    }

    // Each name at most once, but for those of which there may be several lines.
    private List<Field> MakeFields(string[] names, string cookies)
    {
        var fields = new List<Field>();
        for (var count = _random.Next(12); count > 0; count--)
        {
            var name = _random.Next(2) == 0 ? Pick(names) : "X-" + Word();
            if (!fields.Any(field => field.Is(name)))
            {
                fields.Add(new Field(name, Value()));
            }
        }

        var several = _random.Next(3);
        fields.AddRange(Enumerable.Range(0, cookies == "Cookie" ? Math.Min(several, 1) : several).Select(i => new Field(cookies, $"c{i}={Value()}")));
        fields.AddRange(Enumerable.Range(0, several).Select(i => new Field("X-List", $"{i}{Word()}")));
        return fields;
    }

    private string Word() => string.Concat(Enumerable.Range(0, 1 + _random.Next(12)).Select(_ => Token[_random.Next(Token.Length)]));

    // Every byte that a value may have, without the white space around it that isn't part of it.
    private string Value() => (Text(_random.Next(40), ' ', '\xFF').Replace('\x7F', '\t')).Trim(' ', '\t');

    private string Text(int length, char from, char to) => string.Create(length, (_random, from, to), static (text, state) =>
    {
        for (var i = 0; i < text.Length; i++)
        {
            text[i] = (char)state._random.Next(state.from, state.to + 1);
        }
    });

    private string Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    private T Pick<T>(T[] all) => all[_random.Next(all.Length)];
}
