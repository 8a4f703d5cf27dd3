using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Containers;

/// <summary>How the Proxy reaches a container.</summary>
internal abstract record AddressMode
{
    private AddressMode()
    {
    }

    /// <summary>The mode that the configuration itself decides by <c>HostConfig.NetworkMode</c>: the host's network, or another network of the user's, where only a published port can be relied upon.</summary>
    /// <returns><see langword="null"/> if it leaves the choice to the Controller.</returns>
    public static AddressMode? FixedBy(LaunchConfiguration configuration) => EngineObject.TextOf(configuration.HostConfig, "NetworkMode") switch
    {
        null or "" or "default" or "bridge" => null,
        "host" => new HostNetwork(),
        _ => new Published(),
    };

    /// <summary>The mode as the text of a label; the inverse of <see cref="TryParse"/>.</summary>
    public sealed override string ToString() => this switch
    {
        Bridge bridge => $"{bridge.Network}/{bridge.Address}",
        Published => "published",
        _ => "host",
    };

    /// <summary>Reads the mode from a label.</summary>
    /// <returns><see langword="null"/> if the text is none.</returns>
    public static AddressMode? TryParse(string text) => text switch
    {
        "published" => new Published(),
        "host" => new HostNetwork(),
        _ when text.Split('/') is [{ Length: > 0 } network, var address] && System.Net.IPAddress.TryParse(address, out _) => new Bridge(network, address),
        _ => null,
    };

    /// <summary>At a fixed address in our own network, which stays the container's through every restart.</summary>
    /// <param name="Network">Name of the network.</param>
    /// <param name="Address">IPv4 address, outside of the network's dynamic range.</param>
    public sealed record Bridge(string Network, string Address) : AddressMode;

    /// <summary>At a port of 127.0.0.1 that the engine chooses anew at each start.</summary>
    public sealed record Published : AddressMode;

    /// <summary>At the container's own port on 127.0.0.1.</summary>
    public sealed record HostNetwork : AddressMode;
}
