using System.Globalization;
using Wunderproxy.Contracts;

namespace Wunderproxy.Controller.Containers;

/// <summary>The labels of our containers.</summary>
internal static class ContainerLabels
{
    /// <summary>All our labels begin with it; a configuration may not set such a one.</summary>
    public const string Prefix = "wunderproxy.";

    public const string Installation = "wunderproxy.installation";
    public const string Application = "wunderproxy.application";
    public const string Hash = "wunderproxy.hash";
    public const string Revision = "wunderproxy.revision";
    public const string Incarnation = "wunderproxy.incarnation";
    public const string Port = "wunderproxy.port";

    /// <summary><see cref="AddressMode"/> as text: <c>network/172.30.0.2</c>, <c>published</c> or <c>host</c>.</summary>
    public const string Address = "wunderproxy.address";

    /// <summary>The labels by which all containers of one application are found.</summary>
    public static IReadOnlyDictionary<string, string> Of(string installation, string application) =>
        new Dictionary<string, string> { [Installation] = installation, [Application] = application };

    /// <summary>All labels of a container.</summary>
    public static IReadOnlyDictionary<string, string> For(ContainerIdentity identity) => new Dictionary<string, string>
    {
        [Installation] = identity.Installation,
        [Application] = identity.Application,
        [Hash] = identity.Hash,
        [Revision] = identity.Revision,
        [Incarnation] = identity.Incarnation.ToString(CultureInfo.InvariantCulture),
        [Port] = identity.Port.ToString(CultureInfo.InvariantCulture),
        [Address] = identity.Address.ToString(),
    };

    /// <summary>Reads a container's labels back.</summary>
    /// <returns><see langword="null"/> if one is missing or unreadable: the container can't be adopted.</returns>
    public static ContainerIdentity? Read(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.GetValueOrDefault(Installation) is not { Length: > 0 } installation
            || labels.GetValueOrDefault(Application) is not { Length: > 0 } application
            || labels.GetValueOrDefault(Hash) is not { } hash || !ContentHash.IsValid(hash)
            || Number(labels, Incarnation) is not { } incarnation
            || Number(labels, Port) is not { } port
            || AddressMode.TryParse(labels.GetValueOrDefault(Address, "")) is not { } address)
        {
            return null;
        }

        return new ContainerIdentity
        {
            Installation = installation,
            Application = application,
            Hash = hash,
            Revision = labels.GetValueOrDefault(Revision, ""),
            Incarnation = incarnation,
            Port = port,
            Address = address,
        };
    }

    private static int? Number(IReadOnlyDictionary<string, string> labels, string name) =>
        int.TryParse(labels.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;
}
