using System.Buffers.Binary;
using System.Net;

namespace Wunderproxy.Controller.Acting;

/// <summary>Chooses fixed addresses for containers, outside the range from which the engine itself deals out.</summary>
internal static class AddressPool
{
    /// <summary>A free address. Consecutive turns give different ones, so that an address isn't another container's soon after it was given back.</summary>
    /// <param name="subnet">Of the network, such as 172.30.0.0/16.</param>
    /// <param name="dynamicRange">The engine's own part of it; absent: it deals out from all of it, lowest first, so the highest are taken here.</param>
    /// <param name="used">Addresses of all containers, stopped ones included, and the gateway.</param>
    /// <param name="turn">Grows with each container.</param>
    /// <returns><see langword="null"/> if none is free.</returns>
    public static string? Choose(string subnet, string? dynamicRange, IReadOnlySet<string> used, int turn)
    {
        var network = IPNetwork.Parse(subnet);
        var reserved = dynamicRange is null ? (IPNetwork?)null : IPNetwork.Parse(dynamicRange);
        var first = BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
        var count = (uint)(1L << (32 - network.PrefixLength)) - 2;
        for (uint tried = 0; tried < count; tried++)
        {
            // From the top down; the first two and the last address of a subnet are the network's, the gateway's and the broadcast address.
            var address = AddressAt(first + count - (((uint)turn + tried) % (count - 1)));
            if (reserved?.Contains(address) != true && !used.Contains(address.ToString()))
                return address.ToString();
        }

        return null;
    }

    private static IPAddress AddressAt(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new IPAddress(bytes);
    }
}
