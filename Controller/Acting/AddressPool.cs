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
        var (first, last) = BoundsOf(IPNetwork.Parse(subnet));
        var reserved = dynamicRange is null ? (First: last + 1, Last: last) : BoundsOf(IPNetwork.Parse(dynamicRange));

        // From the top down; the first two and the last address of a subnet are the network's, the gateway's and the broadcast address.
        var above = Count(Math.Max(first + 2, reserved.Last + 1), last - 1);
        var below = Count(first + 2, Math.Min(last - 1, reserved.First - 1));
        for (uint tried = 0; tried < above + below; tried++)
        {
            // Counted among the addresses that may be given out: were the reserved ones counted in, many turns would begin at the same address.
            var number = ((uint)turn + tried) % (above + below);
            var address = AddressAt(number < above ? last - 1 - number : Math.Min(last - 1, reserved.First - 1) - (number - above)).ToString();
            if (!used.Contains(address))
                return address;
        }

        return null;
    }

    private static (uint First, uint Last) BoundsOf(IPNetwork network)
    {
        var first = BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
        return (first, first + (uint)((1L << (32 - network.PrefixLength)) - 1));
    }

    private static uint Count(uint first, uint last) => last < first ? 0 : last - first + 1;

    private static IPAddress AddressAt(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return new IPAddress(bytes);
    }
}
