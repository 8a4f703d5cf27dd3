using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>On what all of it was measured.</summary>
internal static class Machine
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task<string> DescribeAsync()
    {
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        return $"""
            # Measured {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC

            {Environment.ProcessorCount} cores ({await ShellAsync("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1")}), kernel {await ShellAsync("uname -r")}, {await ShellAsync(". /etc/os-release; echo $PRETTY_NAME")}, load of the machine at the start: {load}.

            .NET {Environment.Version}, Docker {await ShellAsync("dockerd --version | cut -d ' ' -f 3 | tr -d ,")}, {await ShellAsync("nginx -v 2>&1 | cut -d ' ' -f 3")}, HAProxy {await ShellAsync("haproxy -v | sed -n '1s/.*version \\([^ ]*\\).*/\\1/p'")}, Caddy {await ShellAsync("caddy version | cut -d ' ' -f 1")}, wrk {await ShellAsync("wrk -v 2>&1 | sed -n '1s/^wrk \\([^ ]*\\).*/\\1/p'")}.

            """;
    }

    private static Task<string> ShellAsync(string command) => Command.RunAsync("/bin/sh", ["-c", command], Deadline);
}
