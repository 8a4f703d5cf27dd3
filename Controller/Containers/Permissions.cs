namespace Wunderproxy.Controller.Containers;

/// <summary>What a host's operator may allow its containers beyond the default, by <c>--allow</c>.</summary>
[Flags]
internal enum Permissions
{
    None = 0,

    /// <summary><c>privileged</c>: <c>HostConfig.Privileged</c>.</summary>
    Privileged = 1,

    /// <summary><c>host-namespaces</c>: processes, IPC, UTS, users and cgroups of the host or of another container.</summary>
    HostNamespaces = 2,

    /// <summary><c>host-paths</c>: folders and sockets of the host that rule it.</summary>
    HostPaths = 4,

    /// <summary><c>capabilities</c>: capabilities that reach beyond the container.</summary>
    Capabilities = 8,

    /// <summary><c>devices</c>: devices of the host.</summary>
    Devices = 16,

    /// <summary><c>security-options</c>: containers without seccomp, AppArmor, SELinux or the masked parts of /proc.</summary>
    SecurityOptions = 32,

    /// <summary><c>container-network</c>: the network of another container.</summary>
    ContainerNetwork = 64,
}

/// <summary>Names of the permissions.</summary>
internal static class PermissionNames
{
    private static readonly Dictionary<string, Permissions> ByName = new(StringComparer.Ordinal)
    {
        ["privileged"] = Permissions.Privileged,
        ["host-namespaces"] = Permissions.HostNamespaces,
        ["host-paths"] = Permissions.HostPaths,
        ["capabilities"] = Permissions.Capabilities,
        ["devices"] = Permissions.Devices,
        ["security-options"] = Permissions.SecurityOptions,
        ["container-network"] = Permissions.ContainerNetwork,
    };

    /// <summary>Every name, in order.</summary>
    public static IReadOnlyCollection<string> All => ByName.Keys;

    /// <summary>Name of one permission.</summary>
    public static string Of(Permissions permission) => ByName.Single(p => p.Value == permission).Key;

    /// <summary>Reads a list such as <c>privileged,devices</c>; an empty one allows nothing more.</summary>
    /// <exception cref="FormatException">A name is not known; the message says which, and those that are.</exception>
    public static Permissions Parse(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Aggregate(Permissions.None, (allowed, name) => allowed | Named(name));

    private static Permissions Named(string name) => ByName.TryGetValue(name, out var permission)
        ? permission
        : throw new FormatException($"There is nothing named '{name}' to allow. Known are {string.Join(", ", All)}.");
}
