using System.Text.Json.Nodes;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public abstract partial class EngineConformance
{
    private NetworkSpec Network => new(NameOf("net"), "172.29.240.0/24", "172.29.240.128/25", Ours);

    [Fact]
    public async Task Network_is_made_once_and_then_taken_as_it_is()
    {
        try
        {
            var made = await Engine.EnsureNetworkAsync(Network, Token);
            var found = await Engine.EnsureNetworkAsync(Network with { Subnet = "172.29.241.0/24", DynamicRange = "172.29.241.128/25" }, Token);

            Assert.Equal(made.Id, found.Id);
            Assert.Equal(("172.29.240.0/24", "172.29.240.128/25"), (found.Subnet, found.DynamicRange));
            Assert.Equal(["172.29.240.1"], found.UsedAddresses);
        }
        finally
        {
            await RemoveNetworkAsync(NameOf("net"));
        }
    }

    [Fact]
    public async Task Subnet_of_another_network_and_a_network_that_is_not_ours_are_conflicts()
    {
        try
        {
            await Engine.EnsureNetworkAsync(Network, Token);

            await FailsAsync(EngineFault.Conflict, () => Engine.EnsureNetworkAsync(Network with { Name = NameOf("other") }, Token));
            await FailsAsync(EngineFault.Conflict, () => Engine.EnsureNetworkAsync(Network with { Labels = new Dictionary<string, string> { ["owner"] = "else" } }, Token));
        }
        finally
        {
            await RemoveNetworkAsync(NameOf("net"));
        }
    }

    [Fact]
    public async Task Several_that_make_the_network_at_once_end_with_one()
    {
        try
        {
            var made = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Engine.EnsureNetworkAsync(Network, Token)));
            Assert.Single(made.Select(network => network.Id).Distinct());
        }
        finally
        {
            await RemoveNetworkAsync(NameOf("net"));
        }
    }

    [Fact]
    public async Task Fixed_address_is_used_and_a_second_container_of_it_is_refused_at_start()
    {
        try
        {
            await Engine.EnsureNetworkAsync(Network, Token);
            var first = await Engine.CreateContainerAsync(NameOf("a"), Fixed("172.29.240.7"), Token);
            await Engine.StartContainerAsync(first, Token);

            Assert.Equal("172.29.240.7", (await LookAsync(first)).Addresses[NameOf("net")]);
            Assert.Contains("172.29.240.7", (await Engine.EnsureNetworkAsync(Network, Token)).UsedAddresses);

            var second = await Engine.CreateContainerAsync(NameOf("b"), Fixed("172.29.240.7"), Token);
            await FailsAsync(EngineFault.AddressTaken, () => Engine.StartContainerAsync(second, Token));

            await Engine.StopContainerAsync(first, TimeSpan.FromSeconds(5), Token);
            Assert.DoesNotContain("172.29.240.7", (await Engine.EnsureNetworkAsync(Network, Token)).UsedAddresses);
            await Engine.StartContainerAsync(second, Token);
            await Engine.StopContainerAsync(second, TimeSpan.FromSeconds(5), Token);
        }
        finally
        {
            await RemoveContainersAsync();
            await RemoveNetworkAsync(NameOf("net"));
        }
    }

    private JsonObject Fixed(string address) => Body(
        Sleeping,
        new JsonObject { ["NetworkMode"] = NameOf("net") },
        new JsonObject { ["EndpointsConfig"] = new JsonObject { [NameOf("net")] = new JsonObject { ["IPAMConfig"] = new JsonObject { ["IPv4Address"] = address } } } });
}
