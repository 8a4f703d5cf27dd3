using Microsoft.Extensions.Logging;

namespace Wunderproxy.Controller.Cli;

/// <summary>The log on standard output: a line an event, timestamps in UTC.</summary>
internal static class LogOutput
{
    private const string Timestamps = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static ILoggerFactory Open(LogFormat format) => LoggerFactory.Create(logging =>
    {
        // The web server's own events of each request would drown what changed; why it didn't start is thrown to whoever started it.
        logging.SetMinimumLevel(LogLevel.Information).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, Timestamps.TrimEnd()));
        }
        else
        {
            logging.AddSimpleConsole(console => (console.SingleLine, console.UseUtcTimestamp, console.TimestampFormat) = (true, true, Timestamps));
        }
    });
}
