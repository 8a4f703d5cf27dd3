using System.Net;
using Wunderproxy.Proxy.Clients;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Who the client is where proxies are in front.</summary>
public class ClientAddressTests
{
    private static readonly TrustedProxies Trusted = new([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8:1::/48")]);

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("9.9.9.9", "9.9.9.9")]
    [InlineData("9.9.9.9", "6.6.6.6, 9.9.9.9")]
    [InlineData("9.9.9.9", "6.6.6.6, 9.9.9.9, 10.0.0.2 ,10.0.0.3")]
    [InlineData("9.9.9.9", "6.6.6.6", "9.9.9.9", "10.0.0.2")]
    [InlineData("9.9.9.9", "10.6.6.6, 9.9.9.9")]
    [InlineData("10.0.0.7", "10.0.0.7, 10.0.0.2")]
    [InlineData("9.9.9.9", "9.9.9.9:4711")]
    [InlineData("2001:db8::9", "6.6.6.6, [2001:db8::9]:4711, 2001:db8:1::1")]
    [InlineData("::ffff:9.9.9.9", "::ffff:9.9.9.9, ::ffff:10.0.0.2")]
    [InlineData("10.0.0.2", "6.6.6.6, unknown, 10.0.0.2")]
    [InlineData("10.0.0.1", "6.6.6.6, <script>")]
    [InlineData("10.0.0.1", "6.6.6.6, ")]
    public void Client_is_the_last_address_that_is_no_trusted_proxys(string client, params string[] lines) =>
        Assert.Equal(client, ClientAddress.Of("10.0.0.1", lines, Trusted).ToString());

    [Theory]
    [InlineData("for=9.9.9.9", "9.9.9.9")]
    [InlineData("For=\"[2001:db8::1]:4711\";proto=https;by=10.0.0.1 , for=10.0.0.2;host=\"a,b;for=6.6.6.6\"", "[2001:db8::1]:4711", "10.0.0.2")]
    [InlineData("for=\"_a\\\"b\"", "_a\"b")]
    [InlineData("proto=http")]
    [InlineData("for=\"unclosed, for=9.9.9.9", "\"unclosed, for=9.9.9.9")]
    [InlineData(",;,", new string[0])]
    public void Nodes_are_read_out_of_Forwarded(string header, params string[] nodes) => Assert.Equal(nodes, ForwardedElements.NodesIn(header));

    [Theory]
    [InlineData("a", true)]
    [InlineData("7f9c24e8-3b12-4fef-91d0-2a4a3e1c0b5d", true)]
    [InlineData("Root=1-67891233-abcdef012345678912345678", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("a\"", false)]
    [InlineData("<a>", false)]
    [InlineData("a,b", false)]
    [InlineData("{status}", false)]
    [InlineData("ä", false)]
    public void Id_of_a_request_is_taken_over_if_it_means_nothing_to_anybody(string id, bool isSane) => Assert.Equal(isSane, RequestId.IsSane(id));

    [Fact]
    public void Id_of_a_request_has_128_characters_at_most()
    {
        Assert.True(RequestId.IsSane(new string('a', 128)));
        Assert.False(RequestId.IsSane(new string('a', 129)));
        Assert.False(RequestId.IsSane(null));
    }

    [Fact]
    public void Ids_that_are_made_are_32_digits_and_differ()
    {
        var ids = new RequestIds();

        var made = Enumerable.Range(0, 10_000).Select(_ => ids.Next().ToString()).ToList();

        Assert.Distinct(made);
        Assert.All(made, id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.NotEqual(made[0][..16], new RequestIds().Next().ToString()[..16]);
    }

    [Fact]
    public void Id_is_written_without_allocating()
    {
        var ids = new RequestIds();
        Span<char> text = stackalloc char[RequestId.MaxLength];
        _ = ids.Next().Write(text);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var id = ids.Next();
        var written = id.Write(text);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(id.ToString(), written.ToString());
    }
}
