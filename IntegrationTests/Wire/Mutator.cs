namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Spoils requests of the corpus, always in the same way for the same random numbers.</summary>
internal sealed class Mutator(Random random)
{
    private const int LongestRow = 4_000;

    private static readonly string[] Rows = [.. RequestCorpus.All.Select(row => row.Sent).Where(sent => sent.Length is > 0 and < LongestRow)];

    private static readonly string[] Bits =
    [
        "\r", "\n", "\r\n", "\r\n\r\n", "\n\n", "\0", " ", "\t", ":", ",", ";", "\v", "\f", "\x7F", "\x80", "\x85", "\xA0", "\xFF", "0", "1", "-", "+", "_", "\"", "#", "@", "\\", "x",
        "0\r\n\r\n", "5\r\n", "chunked", "identity", "close", "keep-alive", "HTTP/1.1", "HTTP/1.0", "http://a",
    ];

    private static readonly string[] Lines =
    [
        "Content-Length: 0\r\n", "Content-Length: 5\r\n", "Content-Length: 30\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding:\tchunked\r\n", "Host: a\r\n",
        "Host: b\r\n", "Connection: close\r\n", "Connection: Content-Length\r\n", "Connection: keep-alive, X\r\n", "Expect: 100-continue\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "X: y\r\n",
        "Trailer: X\r\n", "TE: trailers\r\n", "Content_Length: 9\r\n", "X-Forwarded-For: 6.6.6.6\r\n", " folded\r\n", "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n",
    ];

    /// <summary>The next spoilt request.</summary>
    public string Next()
    {
        var text = Pick(Rows);
        for (var times = 1 + random.Next(4); times > 0; times--)
        {
            text = Spoil(text);
        }

        return text;
    }

    private string Spoil(string text) => random.Next(11) switch
    {
        0 => Replace(text, Place(text), 1, Pick(Bits)),
        1 => Replace(text, Place(text), 0, Pick(Bits)),
        2 => Replace(text, Place(text), 1, ((char)random.Next(256)).ToString()),
        3 => Replace(text, Place(text), random.Next(4), ""),
        4 => Replace(text, LinePlace(text), 0, Pick(Lines)),
        5 => Replace(text, LinePlace(text), 0, Pick(Lines)),
        6 => Repeat(text),
        7 => text[..Place(text)] + Tail(Pick(Rows)),
        8 => text + Pick(Rows),
        9 => Flip(text),
        _ => text.Length > 1 && text.Contains("\r\n", StringComparison.Ordinal) ? Replace(text, LineEnd(text), 2, Pick(Bits)) : text,
    };

    private static string Replace(string text, int at, int count, string by) => text[..at] + by + text[Math.Min(at + count, text.Length)..];

    private string Repeat(string text)
    {
        var from = Place(text);
        var slice = text.Substring(from, random.Next(Math.Min(40, text.Length - from) + 1));
        return Replace(text, Place(text), 0, slice);
    }

    private string Flip(string text)
    {
        var at = Math.Min(Place(text), text.Length - 1);
        return at < 0 ? text : Replace(text, at, 1, ((char)(text[at] ^ (1 << random.Next(8)))).ToString());
    }

    private string Tail(string text) => text[Place(text)..];

    private int Place(string text) => random.Next(text.Length + 1);

    // Behind a random line, if there is one.
    private int LinePlace(string text) => text.Contains("\r\n", StringComparison.Ordinal) ? LineEnd(text) + 2 : 0;

    private int LineEnd(string text)
    {
        var at = text.IndexOf("\r\n", Math.Min(Place(text), text.Length - 1), StringComparison.Ordinal);
        return at < 0 ? text.IndexOf("\r\n", StringComparison.Ordinal) : at;
    }

    private string Pick(string[] all) => all[random.Next(all.Length)];
}
