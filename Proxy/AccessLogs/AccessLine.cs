using Wunderproxy.Proxy.Clients;

namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>What lines of all formats have in common.</summary>
internal static class AccessLine
{
    // Keys, numbers, the time and the name of the request.
    private const int Fixed = 640;
    private const int LongestPath = 2048;
    private const int LongestText = 512;

    /// <summary>The most bytes that the line of an entry takes.</summary>
    public static int BoundOf(in AccessEntry entry) => Fixed + (LineWriter.MaxEscape * (
        entry.Client.Length + entry.Method.Length + CutPath(entry.Path).Length + entry.Protocol.Length + entry.Application.Length + entry.Revision.Length
        + Cut(entry.Host).Length + Cut(entry.Referer).Length + Cut(entry.UserAgent).Length));

    /// <summary>Writes the line of an entry with its end.</summary>
    /// <param name="format">How.</param>
    /// <param name="entry">What.</param>
    /// <param name="bytes">Where to: at least <see cref="BoundOf"/>.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(AccessLogFormat format, in AccessEntry entry, Span<byte> bytes) =>
        format == AccessLogFormat.Json ? JsonLine.Write(entry, bytes) : CombinedLine.Write(entry, bytes);

    /// <summary>A path, cut to 2048 characters.</summary>
    public static ReadOnlySpan<char> CutPath(ReadOnlySpan<char> path) => path[..Math.Min(path.Length, LongestPath)];

    /// <summary>A text that clients can make long, cut to 512 characters.</summary>
    public static ReadOnlySpan<char> Cut(ReadOnlySpan<char> text) => text[..Math.Min(text.Length, LongestText)];

    /// <summary>Writes the name of a request, which needs no escaping.</summary>
    public static void WriteId(ref LineWriter line, RequestId id) => line.WriteJson(id.Write(stackalloc char[RequestId.MaxLength]));
}
