namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Ugly requests by topic. See <see cref="RequestRow"/> for what the columns mean.</summary>
internal static partial class RequestCorpus
{
    public static IReadOnlyList<RequestRow> All { get; } =
        [.. Framings, .. Chunks, .. LineEnds, .. RequestLines, .. Targets, .. Hosts, .. Fields, .. Hops, .. Forwarding, .. Upgrades, .. Sizes, .. Sequences, .. Old];

    private static string Get(string fields, string target = "/") => Request("GET", target, fields, "");

    private static string Post(string fields, string body = "") => Request("POST", "/", fields, body);

    private static string Chunked(string body) => Post("Transfer-Encoding: chunked", body);

    private static string Request(string method, string target, string fields, string body) =>
        $"{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}{(fields.Length == 0 ? "" : "\r\n")}\r\n{body}";

    private static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));
}
