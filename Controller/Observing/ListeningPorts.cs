using System.Globalization;

namespace Wunderproxy.Controller.Observing;

/// <summary>The TCP ports that something listens on in a container, to tell a wrong port from an application that doesn't listen yet.</summary>
internal static class ListeningPorts
{
    private const string Listening = "0A";

    /// <summary>Ports above 0 that aren't bound to loopback only, in ascending order; empty where they can't be read.</summary>
    /// <param name="pid">A process of the container, on the host.</param>
    public static ValueList<int> Of(int pid) =>
        [.. Read($"/proc/{pid}/net/tcp").Concat(Read($"/proc/{pid}/net/tcp6")).Distinct().Order()];

    // sl  local_address rem_address   st …
    //  0: 00000000:244C 00000000:0000 0A …
    private static IEnumerable<int> Read(string path)
    {
        try
        {
            return [.. File.ReadLines(path).Skip(1).Select(PortOf).OfType<int>()];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static int? PortOf(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 3 && fields[3] == Listening && fields[1].Split(':') is [var host, var port] && !IsLoopback(host)
            ? int.Parse(port, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : null;
    }

    private static bool IsLoopback(string host) => host is "0100007F" or "0B00007F" or "00000000000000000000000001000000";
}
