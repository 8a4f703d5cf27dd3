using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.Proxy.Stats;

/// <summary>Counts connections by the client that they come from, and says whether it may have one more.</summary>
/// <remarks>
/// A client of IPv6 has a whole /64 to choose its address from, so all of that counts as one. There are never more counts than connections.
/// </remarks>
/// <param name="most">Connections that one client may have.</param>
/// <param name="trusted">Networks of the proxies in front, behind which there are many clients: they may have any number.</param>
internal sealed class ConnectionsByClient(int most, IReadOnlyList<IPNetwork> trusted)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(AddressFamily Family, ulong Network), int> _counts = [];

    /// <summary>Counts a connection in.</summary>
    /// <returns><see langword="false"/> if the client has as many as it may: nothing was counted.</returns>
    public bool TryEnter(IPAddress address)
    {
        if (CountedOf(address) is not { } client)
        {
            return true;
        }

        lock (_lock)
        {
            var count = _counts.GetValueOrDefault(client);
            if (count < most)
            {
                _counts[client] = count + 1;
            }

            return count < most;
        }
    }

    /// <summary>Counts a connection out that was counted in.</summary>
    public void Leave(IPAddress address)
    {
        if (CountedOf(address) is not { } client)
        {
            return;
        }

        lock (_lock)
        {
            if (_counts.Remove(client, out var count) && count > 1)
            {
                _counts[client] = count - 1;
            }
        }
    }

    // Absent: it isn't counted.
    private (AddressFamily Family, ulong Network)? CountedOf(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (trusted.Any(network => network.Contains(address)))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return (address.AddressFamily, length == 16 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes));
    }
}
