namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>A line of the access log in the combined log format of Apache and nginx, with a hyphen where there is nothing to say.</summary>
/// <remarks>
/// Behind it stand the name of the request, host, application and release, bytes of the request's body, and durations in milliseconds: of the request, of the application until
/// the head of its answer, and in all.
/// <code>
/// 192.0.2.1 - - [26/Nov/2026:20:30:00 +0000] "GET /cart HTTP/1.1" 200 512 "-" "curl/8.5.0" 5f0c… "shop.example" "shop" "2f1c9e0" 0 1.234 0.987 1.012
/// </code>
/// </remarks>
internal static class CombinedLine
{
    private static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;

    /// <summary>Writes the line.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(in AccessEntry entry, Span<byte> bytes)
    {
        var line = new LineWriter(bytes);
        line.WriteEscaped(entry.Client.IsEmpty ? "-" : entry.Client);
        line.Write(" - - ["u8);
        WriteTime(ref line, entry.At.UtcDateTime);
        line.Write("] \""u8);
        line.WriteEscaped(entry.Method);
        line.Write(" "u8);
        line.WriteEscaped(AccessLine.CutPath(entry.Path));
        line.Write(" "u8);
        line.WriteEscaped(entry.Protocol);
        line.Write("\" "u8);
        line.Write(entry.Status);
        line.Write(" "u8);
        line.Write(entry.BytesOut);
        WriteText(ref line, AccessLine.Cut(entry.Referer));
        WriteText(ref line, AccessLine.Cut(entry.UserAgent));
        line.Write(" "u8);
        AccessLine.WriteId(ref line, entry.Id);
        WriteText(ref line, AccessLine.Cut(entry.Host));
        WriteText(ref line, entry.Application);
        WriteText(ref line, entry.Revision);
        line.Write(" "u8);
        line.Write(entry.BytesIn);
        WriteTime(ref line, entry.Duration);
        WriteTime(ref line, entry.UpstreamHead);
        WriteTime(ref line, entry.Upstream);
        line.Write("\n"u8);
        return line.Length;
    }

    // 26/Nov/2026:20:30:00 +0000
    private static void WriteTime(ref LineWriter line, DateTime time)
    {
        line.Write(time.Day, 2);
        line.Write("/"u8);
        line.Write(Months.Slice(3 * (time.Month - 1), 3));
        line.Write("/"u8);
        line.Write(time.Year, 4);
        line.Write(":"u8);
        line.Write(time.Hour, 2);
        line.Write(":"u8);
        line.Write(time.Minute, 2);
        line.Write(":"u8);
        line.Write(time.Second, 2);
        line.Write(" +0000"u8);
    }

    private static void WriteTime(ref LineWriter line, TimeSpan? duration)
    {
        line.Write(" "u8);
        if (duration is { } time)
        {
            line.Write(time);
        }
        else
        {
            line.Write("-"u8);
        }
    }

    private static void WriteText(ref LineWriter line, ReadOnlySpan<char> text)
    {
        line.Write(" \""u8);
        line.WriteEscaped(text.IsEmpty ? "-" : text);
        line.Write("\""u8);
    }
}
