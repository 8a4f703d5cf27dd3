using System.Text.Json;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Containers;

/// <summary>Refuses configurations that would hand the host to their container, and those that take what is the Controller's.</summary>
/// <remarks>
/// Whoever can write to the store decides what runs; this keeps that from meaning "as root on the host". Names are compared as the engine
/// compares them, and every member of a name is looked at, for the engine itself takes the last one or merges them.
/// </remarks>
internal static class ContainerPolicy
{
    // What the engine gives each container anyway, and what reaches no further than the container.
    private static readonly HashSet<string> HarmlessCapabilities = new(StringComparer.OrdinalIgnoreCase)
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "IPC_LOCK", "KILL", "LEASE", "MKNOD", "NET_BIND_SERVICE", "NET_BROADCAST",
        "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_NICE", "SYS_RESOURCE",
    };

    private static readonly string[] DeviceLists = ["Devices", "DeviceCgroupRules", "DeviceRequests"];

    private static readonly string[] ProtectedPaths = ["MaskedPaths", "ReadonlyPaths"];

    private static readonly string[] Namespaces = ["PidMode", "IpcMode", "UTSMode", "UsernsMode", "CgroupnsMode"];

    /// <summary>Checks a configuration against what this host allows.</summary>
    /// <param name="configuration">A valid configuration.</param>
    /// <param name="allowed">What the host's operator allows beyond the default.</param>
    /// <returns>All errors; none: it may run here.</returns>
    public static IReadOnlyList<ConfigurationError> Check(LaunchConfiguration configuration, Permissions allowed) =>
    [
        .. Labels(configuration.ContainerConfig),
        .. Network(configuration),
        .. Findings(configuration.HostConfig).Where(f => !allowed.HasFlag(f.Needs)).Select(Refused),
    ];

    private static IEnumerable<Finding> Findings(JsonElement? host) =>
    [
        .. EngineObject.AllOf(host, "Privileged").Where(v => v.ValueKind is not (JsonValueKind.False or JsonValueKind.Null))
            .Select(_ => new Finding(Permissions.Privileged, "Privileged", "A privileged container is root on the host.")),
        .. Namespaces.SelectMany(name => HostNamespace(host, name)),
        .. Paths(host),
        .. Capabilities(host),
        .. Devices(host),
        .. SecurityOptions(host),
        .. Texts(host, "NetworkMode").Where(IsOfContainer)
            .Select(_ => new Finding(Permissions.ContainerNetwork, "NetworkMode", "It uses the network of another container.")),
    ];

    private static ConfigurationError Refused(Finding finding)
    {
        var name = PermissionNames.Of(finding.Needs);
        return new($"$.HostConfig.{finding.Path}", finding.Problem, $"Remove it, or allow it on this host with --allow {name}.");
    }

    private static IEnumerable<Finding> HostNamespace(JsonElement? host, string name) => Texts(host, name)
        .Where(mode => mode.Equals("host", StringComparison.OrdinalIgnoreCase) || IsOfContainer(mode))
        .Select(_ => new Finding(Permissions.HostNamespaces, name, "It shares this namespace with the host or with another container."));

    private static bool IsOfContainer(string mode) => mode.StartsWith("container:", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Finding> Paths(JsonElement? host)
    {
        var binds = Entries(host, "Binds").Where(b => Rules(b.Text.Split(':')[0])).Select(b => b.Path);
        var mounts = EngineObject.ItemsOf(host, "Mounts").Index()
            .Where(m => SourcesOf(m.Item).Any(Rules))
            .Select(m => $"Mounts[{m.Index}]");
        return binds.Concat(mounts).Select(path => new Finding(Permissions.HostPaths, path, "Its source is a part of the host that rules it."));
    }

    // A source without a slash at its beginning is the name of a volume.
    private static bool Rules(string source) => (source.StartsWith('/') || source.Contains("..", StringComparison.Ordinal)) && HostPath.RulesHost(source);

    /// <summary>Source of a bind mount, and the folders that a volume of the driver <c>local</c> is made of.</summary>
    /// <remarks>Such as <c>{"type": "none", "o": "bind", "device": "/"}</c> and <c>{"type": "overlay", "o": "lowerdir=/,upperdir=/x"}</c>.</remarks>
    private static IEnumerable<string> SourcesOf(JsonElement mount)
    {
        JsonElement[] options =
        [
            .. EngineObject.AllOf(mount, "VolumeOptions").SelectMany(v => EngineObject.AllOf(v, "DriverConfig")).SelectMany(d => EngineObject.AllOf(d, "Options")),
        ];
        return Texts(mount, "Source")
            .Concat(options.SelectMany(o => Texts(o, "device")))
            .Concat(options.SelectMany(o => Texts(o, "o")).SelectMany(o => o.Split(',', '=', ':')));
    }

    private static IEnumerable<Finding> Capabilities(JsonElement? host) => Entries(host, "CapAdd")
        .Where(c => !HarmlessCapabilities.Contains(WithoutPrefix(c.Text)))
        .Select(c => new Finding(Permissions.Capabilities, c.Path, "The capability reaches beyond the container, or is not known."));

    private static string WithoutPrefix(string capability) =>
        capability.StartsWith("CAP_", StringComparison.OrdinalIgnoreCase) ? capability["CAP_".Length..] : capability;

    private static IEnumerable<Finding> Devices(JsonElement? host) => DeviceLists
        .Where(name => EngineObject.ItemsOf(host, name).Any())
        .Select(name => new Finding(Permissions.Devices, name, "It gives the container devices of the host."));

    private static IEnumerable<Finding> SecurityOptions(JsonElement? host)
    {
        var options = Entries(host, "SecurityOpt").Where(o => Weakens(o.Text)).Select(o => o.Path);

        // Absent or null they have the engine's defaults; set, they replace them, and an empty list uncovers all of /proc.
        var paths = ProtectedPaths.Where(name => EngineObject.AllOf(host, name).Any(v => v.ValueKind == JsonValueKind.Array));
        return options.Concat(paths).Select(path => new Finding(Permissions.SecurityOptions, path, "It takes protection from the host."));
    }

    /// <summary>Everything but <c>no-new-privileges</c> and named profiles of AppArmor and SELinux; a seccomp profile of one's own may allow anything.</summary>
    private static bool Weakens(string option)
    {
        var parts = option.Split('=', ':');
        var protects = parts is ["no-new-privileges", ..] or ["label", "user" or "role" or "type" or "level", ..]
            || (parts is ["apparmor", var profile] && !profile.Equals("unconfined", StringComparison.OrdinalIgnoreCase));
        return !protects;
    }

    private static IEnumerable<ConfigurationError> Labels(JsonElement container) => EngineObject.MembersOf(container, "Labels")
        .Where(label => label.Name.StartsWith(ContainerLabels.Prefix, StringComparison.OrdinalIgnoreCase))
        .Select(label => new ConfigurationError("$.ContainerConfig.Labels", $"Labels that begin with \"{ContainerLabels.Prefix}\" are the Controller's own.", "Choose another name."));

    /// <summary>Without a network no request reaches the application: nothing that an operator could allow.</summary>
    private static IEnumerable<ConfigurationError> Network(LaunchConfiguration configuration)
    {
        const string Fix = "Remove it, so that the container gets an address that the Proxy can reach.";
        if (Texts(configuration.HostConfig, "NetworkMode").Contains("none", StringComparer.OrdinalIgnoreCase))
        {
            yield return new("$.HostConfig.NetworkMode", "Without a network no request reaches the container.", Fix);
        }

        if (EngineObject.AllOf(configuration.ContainerConfig, "NetworkDisabled").Any(v => v.ValueKind == JsonValueKind.True))
        {
            yield return new("$.ContainerConfig.NetworkDisabled", "Without a network no request reaches the container.", Fix);
        }
    }

    /// <summary>The texts of a list and where they stand; the engine takes a single text for a list of one.</summary>
    private static IEnumerable<(string Path, string Text)> Entries(JsonElement? host, string name) =>
    [
        .. EngineObject.ItemsOf(host, name).Index().Where(i => i.Item.ValueKind == JsonValueKind.String).Select(i => ($"{name}[{i.Index}]", i.Item.GetString()!)),
        .. Texts(host, name).Select(text => (name, text)),
    ];

    private static IEnumerable<string> Texts(JsonElement? engineObject, string name) =>
        EngineObject.AllOf(engineObject, name).Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString()!);

    /// <summary>Something that would reach beyond the container.</summary>
    private sealed record Finding(Permissions Needs, string Path, string Problem);
}
