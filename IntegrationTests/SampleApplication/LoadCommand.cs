using System.Globalization;

namespace Wunderproxy.SampleApplication;

/// <summary><c>load URL SECONDS [CONNECTIONS]</c>: requests one address until the time is over or SIGTERM, then prints a <see cref="LoadReport"/>.</summary>
internal static class LoadCommand
{
    private const int MaximumSeconds = 3600;
    private const int MaximumConnections = 256;

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (!TryParse(arguments, out var target, out var duration, out var connections))
        {
            await Console.Error.WriteLineAsync(
                $"usage: load URL SECONDS [CONNECTIONS]   (1 to {MaximumSeconds} seconds, 1 to {MaximumConnections} connections, default 8)");
            return 2;
        }

        using var end = new CancellationTokenSource(duration, TimeProvider.System);
        using var sigterm = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                end.Cancel();
            });
        var report = await new Load(target, connections, TimeProvider.System).RunAsync(end.Token);
        Console.WriteLine(report.ToJson());
        return report.Failed == 0 ? 0 : 1;
    }

    private static bool TryParse(string[] arguments, out Uri target, out TimeSpan duration, out int connections)
    {
        target = new Uri("http://localhost/");
        duration = TimeSpan.Zero;
        connections = 8;
        if (arguments is not [var url, var seconds, ..] || !Uri.TryCreate(url, UriKind.Absolute, out var parsed))
            return false;
        if (!int.TryParse(seconds, CultureInfo.InvariantCulture, out var wholeSeconds) || wholeSeconds is < 1 or > MaximumSeconds)
            return false;
        if (arguments.Length > 2 && !int.TryParse(arguments[2], CultureInfo.InvariantCulture, out connections))
            return false;
        target = parsed;
        duration = TimeSpan.FromSeconds(wholeSeconds);
        return connections is >= 1 and <= MaximumConnections;
    }
}
