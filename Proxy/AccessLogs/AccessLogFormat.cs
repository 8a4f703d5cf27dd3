namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>How a line of the access log is written.</summary>
internal enum AccessLogFormat
{
    /// <summary>The combined log format, and behind it what it doesn't have: <see cref="CombinedLine"/>.</summary>
    Combined,

    /// <summary>A JSON object: <see cref="JsonLine"/>.</summary>
    Json,
}
