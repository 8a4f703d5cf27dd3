namespace Wunderproxy.IntegrationTests.Wire;

internal static partial class RequestCorpus
{
    // What is said to the Proxy only, and what a client tries to take away from it by saying so.
    private static RequestRow[] Hops =>
    [
        new("hop-by-hop fields end here", Get("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nProxy-Authorization: x"), "200", "GET /"),
        new("TE: trailers goes on", Get("TE: trailers, deflate"), "200", "GET /; te: trailers"),
        new("nominated field", Get("Connection: X-Hop\r\nX-Hop: h\r\nX: y"), "200", "GET /; x: y"),
        new("nominated field beside close", Get("Connection: close, X-Hop\r\nX-Hop: h\r\nX: y"), "200!", "GET /; x: y"),
        new("nominated field beside keep-alive", Get("Connection: keep-alive, X-Hop\r\nX-Hop: h"), "200", "GET /"),
        new("nominated beside a line that says keep-alive", Get("Connection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: h"), "200", "GET /; x-hop: h"),
        new("nominated before a line that says keep-alive", Get("Connection: X-Hop\r\nConnection: keep-alive\r\nX-Hop: h"), "200", "GET /; x-hop: h"),
        new("close in a second line", Get("Connection: X-Hop\r\nConnection: close\r\nX-Hop: h"), "200!", "GET /"),
        new("upgrade in a second line", Get("Connection: X-Hop\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Hop: h"), "200", "GET /; connection: Upgrade; upgrade: websocket"),
        new("close in a first line", Get("Connection: close\r\nConnection: X-Hop\r\nX-Hop: h"), "200!", "GET /"),
        new("close in capitals", Get("Connection: CLOSE"), "200!", "GET /"),
        new("close and keep-alive", Get("Connection: close, keep-alive"), "200!", "GET /"),
        new("nominated Host", Get("Connection: Host"), "200", "GET /"),
        new("nominated Content-Length", Post("Connection: Content-Length\r\nContent-Length: 3", "abc"), "200", "POST / <abc>"),
        new("nominated Transfer-Encoding", Post("Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"), "200", "POST / <<abc>>"),
        new("nominated X-Forwarded-For", Get("Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto"), "200", "GET /"),
        new("nominated Authorization and Cookie", Get("Connection: Authorization, Cookie\r\nAuthorization: t\r\nCookie: c"), "200", "GET /; authorization: t; cookie: c"),
        new("nominated Expect", Post("Connection: Expect\r\nExpect: 100-continue\r\nContent-Length: 1", "x"), "200", "POST /; expect: 100-continue <x>"),
        new("nomination that can't be a name", Get("Connection: X Hop, \"\\, (\r\nX: y"), "200", "GET /; x: y"),
        new("nomination of nothing", Get("Connection: , ,,\r\nX: y"), "200", "GET /; x: y"),
        new("nomination with a form feed", Get("Connection: \fclose, X"), "400!"),
        new("Connection with a control byte", Get("Connection: keep-alive\x01"), "400!"),
        new("Connection with a control byte beside keep-alive", Get("Connection: keep-alive\r\nConnection: X\x01"), "400!"),
        new("Connection empty", Get("Connection:\r\nX: y"), "200", "GET /; x: y"),
        new("nominated Connection", Get("Connection: connection"), "200", "GET /"),
        new("Trailer goes on", Post("Trailer: X-Sum\r\nTransfer-Encoding: chunked", "0\r\nX-Sum: 1\r\n\r\n"), "200", "POST /; trailer: X-Sum <<>> +x-sum: 1"),
        new("Max-Forwards means nothing to GET", Get("Max-Forwards: 0"), "200", "GET /; max-forwards: 0"),
    ];

    private static RequestRow[] Forwarding =>
    [
        new("X-Forwarded-For of a client", Get("X-Forwarded-For: 6.6.6.6"), "200", "GET /"),
        new("X-Forwarded-For twice", Get("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7"), "200", "GET /"),
        new("X-Forwarded-* of a client", Get("X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-Server: s"), "200", "GET /"),
        new("Forwarded of a client", Get("Forwarded: for=6.6.6.6;host=evil"), "200", "GET /"),
        new("X-Real-IP of a client", Get("X-Real-IP: 6.6.6.6\r\nX_Real_IP: 7.7.7.7"), "200", "GET /"),
        new("X-Request-Id and -Start of a client", Get("X-Request-Id: mine\r\nX-Request-Start: t=1"), "200", "GET /"),
        new("X_Request_Id and _Start", Get("X_Request_Id: mine\r\nx_request-start: t=1"), "200", "GET /"),
        new("X-Request-Id nominated", Get("Connection: X-Request-Id, X-Request-Start"), "200", "GET /"),
        new("X_Forwarded_For", Get("X_Forwarded_For: 6.6.6.6"), "200", "GET /"),
        new("X-Forwarded_For", Get("X-Forwarded_For: 6.6.6.6\r\nx_forwarded-host: evil"), "200", "GET /"),
        new("X_FORWARDED_PROTO", Get("X_FORWARDED_PROTO: https"), "200", "GET /"),
        new("Transfer_Encoding and Content_Length", Post("Transfer_Encoding: chunked\r\nContent_Length: 9\r\nContent-Length: 1", "x"), "200", "POST / <x>"),
        new("other names with underscores", Get("My_Own: kept\r\n_: kept"), "200", "GET /; _: kept; my_own: kept"),
        new("names that only begin alike", Get("X-Forwarded: x\r\nForwarded-For: y"), "200", "GET /; forwarded-for: y; x-forwarded: x"),
    ];

    private static RequestRow[] Upgrades =>
    [
        new("upgrade to h2c", Get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"), "200", "GET /"),
        new("upgrade to h2c without Connection", Get("Upgrade: h2c"), "200", "GET /"),
        new("upgrade to h2c among others", Get("Connection: Upgrade\r\nUpgrade: h2c, websocket"), "200", "GET /"),
        new("upgrade without Connection", Get("Upgrade: websocket"), "200", "GET /"),
        new("upgrade with another method", Post("Connection: Upgrade\r\nUpgrade: websocket"), "200", "POST /"),
        new("upgrade with a method nobody knows", Request("Brew", "/", "Connection: Upgrade\r\nUpgrade: websocket", ""), "200", "Brew /"),
        new("upgrade with a body", Post("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3", "abc"), "200", "POST / <abc>"),
        new("upgrade with a request in its body", Post($"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: {Smuggled.Length}", Smuggled), "200", $"POST / <{Smuggled}>"),
        new("upgrade that the application doesn't want", Get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), "200", "GET /; connection: Upgrade; sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==; sec-websocket-version: 13; upgrade: websocket"),
    ];

    private static RequestRow[] Sizes =>
    [
        new("target of 8,000 bytes", Get("", "/" + Times(7_999, "a")), "200", "GET /" + Times(7_999, "a")),
        new("target of 9,000 bytes", Get("", "/" + Times(9_000, "a")), "414!"),
        new("request line without an end", "GET /" + Times(100_000, "a"), "414!"),
        new("method of 9,000 bytes", Times(9_000, "A") + " / HTTP/1.1\r\nHost: a\r\n\r\n", "414!"),
        new("value of 30,000 bytes", Get("X: " + Times(30_000, "y")), "200", "GET /; x: " + Times(30_000, "y")),
        new("value of 40,000 bytes", Get("X: " + Times(40_000, "y")), "431!"),
        new("name of 40,000 bytes", Get(Times(40_000, "X") + ": y"), "431!"),
        new("field without an end", "GET / HTTP/1.1\r\nHost: a\r\nX: " + Times(100_000, "y"), "431!"),
        new("90 fields", Get(Times(90, "X: y\r\n").TrimEnd()), "200", "GET /; x: " + Times(90, "y, ")[..^2]),
        new("101 fields", Get(Times(101, "X: y\r\n").TrimEnd()), "431!"),
        new("many fields of 500 bytes", Get(Times(80, $"X: {Times(500, "y")}\r\n").TrimEnd()), "431!"),
        new("trailer of 40,000 bytes", Chunked("3\r\nabc\r\n0\r\nX: " + Times(40_000, "y") + "\r\n\r\n"), "431!", "POST / <<abc~"),
        new("101 trailers", Chunked("3\r\nabc\r\n0\r\n" + Times(101, "X: y\r\n") + "\r\n"), "431!", "POST / <<abc~"),
        new("chunk extension of 40,000 bytes", Chunked("3;" + Times(40_000, "y") + "\r\nabc\r\n0\r\n\r\n"), "200", "POST / <<abc>>"),
        new("chunks of one byte", Chunked(Times(2_000, "1\r\nx\r\n") + "0\r\n\r\n"), "200", $"POST / <<{Times(2_000, "x")}>>"),
        new("body of 300,000 bytes", Post("Content-Length: 300000", Times(300_000, "x")), "200", $"POST / <{Times(300_000, "x")}>"),
        new("chunk of 300,000 bytes", Chunked($"{300_000:x}\r\n{Times(300_000, "x")}\r\n0\r\n\r\n"), "200", $"POST / <<{Times(300_000, "x")}>>"),
    ];

    private static RequestRow[] Sequences =>
    [
        new("two requests at once", Get("", "/1") + Get("", "/2"), "200 200", "GET /1", "GET /2"),
        new("three requests with bodies at once", Post("Content-Length: 1", "1") + Chunked("1\r\n2\r\n0\r\n\r\n") + Post("", ""), "200 200 200", "POST / <1>", "POST / <<2>>", "POST /"),
        new("20 requests at once", Times(20, Get("")), Times(20, "200 ").TrimEnd(), [.. Enumerable.Repeat("GET /", 20)]),
        new("nothing is read behind close", Get("Connection: close") + Get("", "/2"), "200!", "GET /"),
        new("nothing is read behind a refusal", Get("X : y") + Get("", "/2"), "400!"),
        new("refusal behind a good one", Get("") + Get("X : y"), "200 400!", "GET /"),
        new("HEAD and GET at once", Request("HEAD", "/1", "", "") + Get("", "/2"), "200 200", "HEAD /1", "GET /2"),
        new("another byte before the version of a second request", Get("") + "GET /admin!HTTP/1.1\r\nHost: a\r\n\r\n", "200 400!", "GET /"),
        new("another byte before the version behind a body", Post("Content-Length: 3", "abc") + "GET /admin!HTTP/1.1\r\nHost: a\r\n\r\n", "200 400!", "POST / <abc>"),
        new("another byte before the version behind chunks", Chunked("3\r\nabc\r\n0\r\n\r\n") + "GET /admin!HTTP/1.1\r\nHost: a\r\n\r\n", "200 400!", "POST / <<abc>>"),
        new("bare LF between requests", Get("", "/1") + "\n" + Get("", "/2"), "200 400!", "GET /1"),
        new("empty line between requests", Get("", "/1") + "\r\n" + Get("", "/2"), "200 200", "GET /1", "GET /2"),
    ];

    private static RequestRow[] Old =>
    [
        new("HTTP/1.0 with Host", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "200!", "GET /"),
        new("HTTP/1.0 keeps no connection, asked or not", "GET / HTTP/1.0\r\nHost: a\r\nConnection: close\r\n\r\n", "200!", "GET /"),
        new("HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "200", "GET /"),
        new("HTTP/1.0 with a body", "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "200!", "POST / <abc>"),
        new("HTTP/1.0 with chunks", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400!"),
        new("HTTP/1.0 with both framings", "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400!"),
        new("HTTP/1.0 with an upgrade", "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "200!", "GET /"),
        new("HTTP/1.0 with two Hosts", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400!"),
        new("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "200!", "GET /; host: "),
        new("HTTP/1.0 expects nothing", "POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", "200!", "POST / <x>"),
    ];
}
