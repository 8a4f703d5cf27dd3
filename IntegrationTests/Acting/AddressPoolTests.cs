using Wunderproxy.Controller.Acting;

namespace Wunderproxy.IntegrationTests.Acting;

public sealed class AddressPoolTests
{
    private static readonly HashSet<string> None = [];

    [Theory]
    [InlineData("172.30.128.0/17")]
    [InlineData("172.30.0.0/17")]
    [InlineData("172.30.64.0/18")]
    [InlineData(null)]
    public void Consecutive_turns_give_different_addresses_outside_of_the_engine_s_range(string? dynamicRange)
    {
        var given = Enumerable.Range(1, 300).Select(turn => AddressPool.Choose("172.30.0.0/16", dynamicRange, None, turn)!).ToList();

        Assert.Equal(300, given.Distinct().Count());
        if (dynamicRange is not null)
            Assert.DoesNotContain(given, address => System.Net.IPNetwork.Parse(dynamicRange).Contains(System.Net.IPAddress.Parse(address)));
    }

    [Fact]
    public void Every_address_but_those_of_network_gateway_and_broadcast_is_given_and_then_none()
    {
        var used = new HashSet<string>();
        while (AddressPool.Choose("172.30.0.0/28", "172.30.0.8/29", used, 5) is { } address)
            used.Add(address);

        Assert.Equal(["172.30.0.2", "172.30.0.3", "172.30.0.4", "172.30.0.5", "172.30.0.6", "172.30.0.7"], used.Order());
    }

    [Fact]
    public void Used_address_is_passed_over()
    {
        var first = AddressPool.Choose("172.30.0.0/16", null, None, 1)!;
        Assert.NotEqual(first, AddressPool.Choose("172.30.0.0/16", null, new HashSet<string> { first }, 1));
    }
}
