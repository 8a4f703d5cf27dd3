namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>A line of the access log as a JSON object. Members are always all there, and null where there is nothing to say; durations are in milliseconds.</summary>
/// <remarks>
/// <code>
/// {"time":"2026-11-26T20:30:00.123Z","request_id":"5f0c…","client":"192.0.2.1","method":"GET","host":"shop.example","path":"/cart","protocol":"HTTP/1.1","status":200,
/// "bytes_in":0,"bytes_out":512,"duration_ms":1.234,"upstream_head_ms":0.987,"upstream_ms":1.012,"application":"shop","revision":"2f1c9e0","referer":null,"user_agent":"curl/8.5.0"}
/// </code>
/// </remarks>
internal static class JsonLine
{
    /// <summary>Writes the line.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(in AccessEntry entry, Span<byte> bytes)
    {
        var line = new LineWriter(bytes);
        line.Write("{\"time\":\""u8);
        WriteTime(ref line, entry.At.UtcDateTime);
        line.Write("\",\"request_id\":\""u8);
        AccessLine.WriteId(ref line, entry.Id);
        line.Write("\""u8);
        WriteText(ref line, ",\"client\":"u8, entry.Client);
        WriteText(ref line, ",\"method\":"u8, entry.Method);
        WriteText(ref line, ",\"host\":"u8, AccessLine.Cut(entry.Host));
        WriteText(ref line, ",\"path\":"u8, AccessLine.CutPath(entry.Path));
        WriteText(ref line, ",\"protocol\":"u8, entry.Protocol);
        line.Write(",\"status\":"u8);
        line.Write(entry.Status);
        line.Write(",\"bytes_in\":"u8);
        line.Write(entry.BytesIn);
        line.Write(",\"bytes_out\":"u8);
        line.Write(entry.BytesOut);
        WriteTime(ref line, ",\"duration_ms\":"u8, entry.Duration);
        WriteTime(ref line, ",\"upstream_head_ms\":"u8, entry.UpstreamHead);
        WriteTime(ref line, ",\"upstream_ms\":"u8, entry.Upstream);
        WriteText(ref line, ",\"application\":"u8, entry.Application);
        WriteText(ref line, ",\"revision\":"u8, entry.Revision);
        WriteText(ref line, ",\"referer\":"u8, AccessLine.Cut(entry.Referer));
        WriteText(ref line, ",\"user_agent\":"u8, AccessLine.Cut(entry.UserAgent));
        line.Write("}\n"u8);
        return line.Length;
    }

    // 2026-11-26T20:30:00.123Z
    private static void WriteTime(ref LineWriter line, DateTime time)
    {
        line.Write(time.Year, 4);
        line.Write("-"u8);
        line.Write(time.Month, 2);
        line.Write("-"u8);
        line.Write(time.Day, 2);
        line.Write("T"u8);
        line.Write(time.Hour, 2);
        line.Write(":"u8);
        line.Write(time.Minute, 2);
        line.Write(":"u8);
        line.Write(time.Second, 2);
        line.Write("."u8);
        line.Write(time.Millisecond, 3);
        line.Write("Z"u8);
    }

    private static void WriteTime(ref LineWriter line, ReadOnlySpan<byte> key, TimeSpan? duration)
    {
        line.Write(key);
        if (duration is { } time)
        {
            line.Write(time);
        }
        else
        {
            line.Write("null"u8);
        }
    }

    private static void WriteText(ref LineWriter line, ReadOnlySpan<byte> key, ReadOnlySpan<char> text)
    {
        line.Write(key);
        if (text.IsEmpty)
        {
            line.Write("null"u8);
            return;
        }

        line.Write("\""u8);
        line.WriteJson(text);
        line.Write("\""u8);
    }
}
