namespace Wunderproxy.Controller.Containers;

/// <summary>Judges folders of the host that a container asks for.</summary>
internal static class HostPath
{
    // Whoever writes there rules the host, and whoever reads some of it learns its secrets.
    private static readonly string[] Ruling =
    [
        "/proc", "/sys", "/dev", "/etc", "/boot", "/root", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
        "/var/lib/docker", "/var/lib/containerd", "/var/lib/wunderproxy", "/var/spool/cron",
        "/run/docker", "/run/docker.sock", "/run/containerd", "/run/systemd", "/run/dbus", "/run/podman", "/run/crio", "/run/wunderproxy",
    ];

    private static readonly string[] SocketNames = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"];

    // Many applications ask for the host's time zone, and nothing is lost by it.
    private static readonly string[] Harmless = ["/etc/localtime", "/etc/timezone"];

    /// <summary>Whether a path is, lies in, or contains a part of the host that rules it; also one that leaves its folder by <c>..</c>.</summary>
    public static bool RulesHost(string path)
    {
        string[] parts = [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != ".")];
        var plain = Plain(parts);
        return parts.Contains("..", StringComparer.Ordinal)
            || SocketNames.Contains(parts.LastOrDefault(), StringComparer.Ordinal)
            || (!Harmless.Contains(plain, StringComparer.Ordinal) && Ruling.Any(r => IsIn(plain, r) || IsIn(r, plain)));
    }

    // /var/run is a link to /run on every current distribution, and /run holds the sockets.
    private static string Plain(string[] parts) => parts is ["var", "run", .. var rest] ? "/run" + Joined(rest) : Joined(parts);

    private static string Joined(string[] parts) => string.Concat(parts.Select(p => "/" + p));

    private static bool IsIn(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);
}
