using static Wunderproxy.IntegrationTests.Wire.After;
using static Wunderproxy.IntegrationTests.Wire.Reuse;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Ugly answers of applications by topic. See <see cref="AnswerRow"/> for what the columns mean.</summary>
internal static class AnswerCorpus
{
    private const string Another = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong";

    public static IReadOnlyList<AnswerRow> All { get; } = [.. Framings, .. Chunks, .. StatusLines, .. Fields, .. Bodiless, .. Ends];

    private static AnswerRow[] Framings =>
    [
        new("length", Ok("Content-Length: 3", "abc"), "200 <abc>", Kept),
        new("length 0", Ok("Content-Length: 0"), "200", Kept),
        new("chunks", Chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "200 <<abcde>>", Kept),
        new("body up to the end of the connection", Ok("X: y", "abc"), "200; x: y <<abc>>", Dropped) { Then = Close },
        new("no body up to the end of the connection", Ok("X: y"), "200; x: y <<>>", Dropped) { Then = Close },
        new("body up to a reset", Ok("X: y", "abc"), "200; x: y <<abc~!", Dropped) { Then = After.Reset },
        new("length and Connection: close", Ok("Content-Length: 3\r\nConnection: close", "abc"), "200 <abc>", Dropped) { Then = Close },
        new("chunks and Connection: close", Ok("Transfer-Encoding: chunked\r\nConnection: close", "3\r\nabc\r\n0\r\n\r\n"), "200 <<abc>>", Dropped) { Then = Close },
        new("body shorter than the length", Ok("Content-Length: 5", "abc"), "200 <abc~!", Dropped) { Then = Close },
        new("body shorter than the length, reset", Ok("Content-Length: 5", "abc"), "200 <abc~!", Dropped) { Then = After.Reset },
        new("body far shorter than the length", Ok("Content-Length: 999999999999", "abc"), "200 <abc~!", Dropped) { Then = Close },
        new("body longer than the length", Ok("Content-Length: 3", "abcdef"), "200 <abc>", Dropped),
        new("body longer than the length by an answer", Ok("Content-Length: 3", "abc" + Another), "200 <abc>", Dropped),
        new("answer behind chunks", Chunked("3\r\nabc\r\n0\r\n\r\n" + Another), "200 <<abc>>", Dropped),
        new("answer behind none", Ok("Content-Length: 0", Another), "200", Dropped),
        new("CL and TE", Ok("Content-Length: 3\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("TE and CL", Ok("Transfer-Encoding: chunked\r\nContent-Length: 3", "3\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("TE twice", Ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), "502", Dropped),
        new("TE list", Ok("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), "502", Dropped),
        new("TE chunked, chunked", Ok("Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), "502", Dropped),
        new("TE gzip", Ok("Transfer-Encoding: gzip", "abc"), "502", Dropped) { Then = Close },
        new("TE identity", Ok("Transfer-Encoding: identity\r\nContent-Length: 3", "abc"), "502", Dropped),
        new("TE in capitals", Ok("Transfer-Encoding: CHUNKED", "3\r\nabc\r\n0\r\n\r\n"), "200 <<abc>>", Kept),
        new("TE with a vertical tab", Ok("Transfer-Encoding: \vchunked", "0\r\n\r\n"), "502", Dropped),
        new("TE in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "502", Dropped),
        new("CL twice, different", Ok("Content-Length: 3\r\nContent-Length: 4", "abc"), "502", Dropped),
        new("CL twice, the same", Ok("Content-Length: 3\r\nContent-Length: 3", "abc"), "502", Dropped),
        new("CL list", Ok("Content-Length: 3, 3", "abc"), "502", Dropped),
        new("CL with a plus", Ok("Content-Length: +3", "abc"), "502", Dropped),
        new("CL negative", Ok("Content-Length: -3", "abc"), "502", Dropped),
        new("CL of letters", Ok("Content-Length: abc", "abc"), "502", Dropped),
        new("CL in hexadecimal", Ok("Content-Length: 0x3", "abc"), "502", Dropped),
        new("CL empty", Ok("Content-Length:", "abc"), "502", Dropped),
        new("CL with a space inside", Ok("Content-Length: 3 3", "abc"), "502", Dropped),
        new("CL above 2^63", Ok("Content-Length: 9223372036854775808", "abc"), "502", Dropped),
        new("CL above 2^64", Ok("Content-Length: 18446744073709551619", "abc"), "502", Dropped),
    ];

    private static AnswerRow[] Chunks =>
    [
        new("chunk extension", Chunked("3;a=b\r\nabc\r\n0\r\n\r\n"), "200 <<abc>>", Kept),
        new("chunk size of letters", Chunked("xyz\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("chunk size with 0x", Chunked("0x3\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("chunk size negative", Chunked("-3\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("chunk size empty", Chunked("\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("chunk size above 2^64", Chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), "502", Dropped),
        new("second chunk size of letters", Chunked("3\r\nabc\r\nxyz\r\n"), "200 <<abc~!", Dropped),
        new("chunk longer than its size", Chunked("3\r\nabcd\r\n0\r\n\r\n"), "200 <<abc~!", Dropped),
        new("chunk cut short", Chunked("5\r\nabc"), "200 <<abc~!", Dropped) { Then = Close },
        new("no last chunk", Chunked("3\r\nabc\r\n"), "200 <<abc~!", Dropped) { Then = Close },
        new("no last chunk, reset", Chunked("3\r\nabc\r\n"), "200 <<abc~!", Dropped) { Then = After.Reset },
        new("last chunk without its line end", Chunked("3\r\nabc\r\n0\r\n"), "200 <<abc~!", Dropped) { Then = Close },
        new("trailer that was announced", Ok("Transfer-Encoding: chunked\r\nTrailer: X-Sum", "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"), "200; trailer: X-Sum <<abc>> +x-sum: 1", Kept),
        new("trailer that was announced and didn't come", Ok("Transfer-Encoding: chunked\r\nTrailer: X-Sum", "3\r\nabc\r\n0\r\n\r\n"), "200; trailer: X-Sum <<abc>>", Kept),
        new("trailer that frames", Ok("Transfer-Encoding: chunked\r\nTrailer: Content-Length", "3\r\nabc\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n"), "200; trailer: Content-Length <<abc>>", Kept),
        new("trailer with a control byte", Ok("Transfer-Encoding: chunked\r\nTrailer: X-Sum", "3\r\nabc\r\n0\r\nX-Sum: \x01\r\n\r\n"), "200; trailer: X-Sum <<abc~!", Dropped),
        new("trailer with bytes above 0x7F", Ok("Transfer-Encoding: chunked\r\nTrailer: X-Sum", "3\r\nabc\r\n0\r\nX-Sum: \x80\xFF\r\n\r\n"), "200; trailer: X-Sum <<abc>> +x-sum: \x80\xFF", Kept),
        new("trailer whose name can't be one", Ok("Transfer-Encoding: chunked\r\nTrailer: X-Sum", "3\r\nabc\r\n0\r\nX Sum: 1\r\n\r\n"), "200; trailer: X-Sum <<abc~!", Dropped),
    ];

    private static AnswerRow[] StatusLines =>
    [
        new("reason in other words", "HTTP/1.1 200 Fine, thanks\r\nContent-Length: 0\r\n\r\n", "200", Kept),
        new("no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200", Kept),
        new("no reason and no space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200", Kept),
        new("reason with bytes above 0x7F", "HTTP/1.1 200 Sch\xF6n\r\nContent-Length: 0\r\n\r\n", "200", Kept),
        new("reason with a control byte", "HTTP/1.1 200 a\x01z\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("status nobody knows", "HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", "299", Kept),
        new("status 599", "HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", "599", Kept),
        new("status 999", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "999", Kept),
        new("status 099", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("status of letters", "HTTP/1.1 OK OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("status with a plus", "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 <abc>", Dropped) { Then = Close },
        new("HTTP/1.0 up to the end of the connection", "HTTP/1.0 200 OK\r\n\r\nabc", "200 <<abc>>", Dropped) { Then = Close },
        new("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("another protocol", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("no protocol", "200 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
        new("a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "502", Dropped),
        new("nonsense", "\0\x01\x02\xFF\r\n\r\n", "502", Dropped),
        new("empty line before", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "502", Dropped),
    ];

    private static AnswerRow[] Fields =>
    [
        new("value with bytes above 0x7F", Ok("Content-Length: 0\r\nX: \x80\xFF\r\nLocation: /\xC3\xA4"), "200; location: /\xC3\xA4; x: \x80\xFF", Kept),
        new("value empty", Ok("Content-Length: 0\r\nX:"), "200; x: ", Kept),
        new("several cookies", Ok("Content-Length: 0\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2"), "200; set-cookie: a=1, b=2", Kept),
        new("value with a control byte", Ok("Content-Length: 0\r\nX: a\x01z"), "502", Dropped),
        new("value with NUL", Ok("Content-Length: 0\r\nX: a\0z"), "502", Dropped),
        new("value with DEL", Ok("Content-Length: 0\r\nX: a\x7Fz"), "502", Dropped),
        new("value with a bare CR", Ok("Content-Length: 0\r\nX: a\rz"), "502", Dropped),
        new("name with a space", Ok("Content-Length: 0\r\nX Y: z"), "502", Dropped),
        new("name with brackets", Ok("Content-Length: 0\r\nX[]: z"), "502", Dropped),
        new("name with a byte above 0x7F", Ok("Content-Length: 0\r\nX\xE4: z"), "502", Dropped),
        new("field without a name", Ok("Content-Length: 0\r\n: z"), "502", Dropped),
        new("field without a colon", Ok("Content-Length: 0\r\nXY"), "502", Dropped),
        new("folded field", Ok("Content-Length: 0\r\nX: y\r\n z"), "502", Dropped),
        new("hop-by-hop fields end here", Ok("Content-Length: 0\r\nConnection: keep-alive, X-Hop\r\nX-Hop: h\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c"), "200", Kept),
        new("nominated in a second line", Ok("Content-Length: 0\r\nConnection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: h"), "200", Kept),
        new("nominated length", Ok("Content-Length: 3\r\nConnection: Content-Length, Set-Cookie\r\nSet-Cookie: a=1", "abc"), "200; set-cookie: a=1 <abc>", Kept),
        new("value of 30,000 bytes", Ok($"Content-Length: 0\r\nX: {Times(30_000, "y")}"), $"200; x: {Times(30_000, "y")}", Kept),
        new("value of 100,000 bytes", Ok($"Content-Length: 0\r\nX: {Times(100_000, "y")}"), "502", Dropped),
        new("1,000 fields", Ok("Content-Length: 0\r\n" + Times(1_000, "X: y\r\n").TrimEnd()), $"200; x: {Times(1_000, "y, ")[..^2]}", Kept),
        new("odd dates and types", Ok("Content-Length: 0\r\nExpires: -1\r\nLast-Modified: long ago\r\nContent-Type: ;;\r\nETag: odd"), "200; content-type: ;;; etag: odd; expires: -1; last-modified: long ago", Kept),
    ];

    private static AnswerRow[] Bodiless =>
    [
        new("HEAD with a length", Ok("Content-Length: 1234"), "200; content-length: 1234", Kept) { Method = "HEAD" },
        new("HEAD with chunks", Ok("Transfer-Encoding: chunked"), "200", Kept) { Method = "HEAD" },
        new("HEAD with a body", Ok("Content-Length: 3", "abc"), "200; content-length: 3", Dropped) { Method = "HEAD" },
        new("204", "HTTP/1.1 204 No Content\r\n\r\n", "204", Kept),
        new("204 with a length of 0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204", Kept),
        new("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n", "204", Dropped),
        new("204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", "204", Dropped),
        new("204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "204", Dropped),
        new("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: \"e\"\r\n\r\n", "304; content-length: 3; etag: \"e\"", Kept),
        new("304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", "304; content-length: 3", Dropped),
        new("205", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n", "205", Kept),
        new("100 unasked", "HTTP/1.1 100 Continue\r\n\r\n" + Ok("Content-Length: 3", "abc"), "200 <abc>", Kept),
        new("several interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + Ok("Content-Length: 3", "abc"), "200 <abc>", Kept),
        new("interim answer and nothing else", "HTTP/1.1 103 Early Hints\r\n\r\n", "502", Dropped) { Then = Close, Method = "POST" },
        new("interim answer and nothing else to a GET", "HTTP/1.1 103 Early Hints\r\n\r\n", "502", Dropped) { Then = Close },
        new("a hundred interim answers", string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 100)) + Ok("Content-Length: 3", "abc"), "200 <abc>", Kept),
        new("interim answer with a body", "HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\nabc" + Ok("Content-Length: 3", "abc"), "502", Dropped),
        new("101 unasked", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc", "502", Dropped),
        new("101 unasked to a POST", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nabc", "502", Dropped) { Method = "POST" },
        new("101 to another protocol than was asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nabc", "502", Dropped) { Asks = Upgrade },
        new("101 without a protocol", "HTTP/1.1 101 Switching Protocols\r\n\r\nabc", "502", Dropped) { Asks = Upgrade },
        new("upgrade refused", "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 3\r\n\r\nabc", "426 <abc>", Kept) { Asks = Upgrade },
    ];

    private static AnswerRow[] Ends =>
    [
        new("closed without an answer", "", "502", Dropped) { Then = Close },
        new("closed without an answer to a POST", "", "502", Dropped) { Then = Close, Method = "POST" },
        new("reset without an answer", "", "502", Dropped) { Then = After.Reset },
        new("reset without an answer to a POST", "", "502", Dropped) { Then = After.Reset, Method = "POST" },
        new("closed within the status line", "HTTP/1.1 2", "502", Dropped) { Then = Close },
        new("closed within the fields", "HTTP/1.1 200 OK\r\nContent-Len", "502", Dropped) { Then = Close },
        new("closed before the empty line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "502", Dropped) { Then = Close },
        new("closed before the body", Ok("Content-Length: 3"), "200 <~!", Dropped) { Then = Close },
    ];

    private static string Upgrade => "Connection: Upgrade\r\nUpgrade: websocket\r\n";

    private static string Ok(string fields, string body = "") => $"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}";

    private static string Chunked(string body) => Ok("Transfer-Encoding: chunked", body);

    private static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));
}
