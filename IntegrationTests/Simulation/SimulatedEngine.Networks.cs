using System.Net;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

internal sealed partial class SimulatedEngine
{
    private const string DefaultNetwork = "bridge";

    private readonly List<(NetworkSpec Spec, string Id)> _networks =
        [(new NetworkSpec(DefaultNetwork, "172.17.0.0/16", "172.17.0.0/16", new Dictionary<string, string>()), new string('0', 64))];

    public Task<EngineNetwork> EnsureNetworkAsync(NetworkSpec network, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var (spec, id) = _networks.FirstOrDefault(n => n.Spec.Name == network.Name);
            if (spec is null)
            {
                if (_networks.Any(n => n.Spec.Subnet == network.Subnet))
                    throw new EngineException(EngineFault.Conflict, $"Create of network '{network.Name}' failed: the pool overlaps with other one on this address space.");
                (spec, id) = (network, NextId());
                _networks.Add((spec, id));
            }
            else if (!network.Labels.All(l => spec.Labels.GetValueOrDefault(l.Key) == l.Value))
            {
                throw new EngineException(EngineFault.Conflict, $"Network '{network.Name}' exists, but isn't ours; remove it, or choose another name.");
            }

            return Task.FromResult(new EngineNetwork(id, spec.Subnet, spec.DynamicRange, [GatewayOf(spec), .. AddressesIn(spec.Name)]));
        }
    }

    public void RemoveNetwork(string name)
    {
        lock (_gate)
            _networks.RemoveAll(n => n.Spec.Name == name);
    }

    private static string GatewayOf(NetworkSpec spec) => AddressOf(spec.Subnet, 1);

    private static string AddressOf(string range, int number)
    {
        var bytes = IPNetwork.Parse(range).BaseAddress.GetAddressBytes();
        bytes[3] += (byte)number;
        return new IPAddress(bytes).ToString();
    }

    private IEnumerable<string> AddressesIn(string network) =>
        _containers.Where(c => c.IsRunning && c.Endpoint.Network == network).Select(c => c.Address).OfType<string>();

    private string AddressFor(SimulatedContainer container)
    {
        var (name, wanted) = container.Endpoint;
        var spec = _networks.FirstOrDefault(n => n.Spec.Name == name).Spec ?? throw new EngineException(EngineFault.NotFound, $"Start of container '{container.Id}' failed: network {name} not found.");
        var used = AddressesIn(name).Append(GatewayOf(spec)).ToHashSet(StringComparer.Ordinal);
        if (wanted is not null)
        {
            return used.Contains(wanted)
                ? throw new EngineException(EngineFault.AddressTaken, $"Start of container '{container.Id}' failed: address already in use.")
                : wanted;
        }

        return Enumerable.Range(2, 200).Select(number => AddressOf(spec.DynamicRange, number)).First(address => !used.Contains(address));
    }
}
