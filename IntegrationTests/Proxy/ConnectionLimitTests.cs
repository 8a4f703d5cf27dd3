using System.Net;
using System.Net.Sockets;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>How many connections clients may have.</summary>
public sealed class ConnectionLimitTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    [Fact]
    public void Client_is_an_address_or_a_network_of_IPv6()
    {
        var counts = new ConnectionsByClient(1, []);

        Assert.True(Enter(counts, "192.0.2.1"));
        Assert.False(Enter(counts, "192.0.2.1"));
        Assert.False(Enter(counts, "::ffff:192.0.2.1"));
        Assert.True(Enter(counts, "192.0.2.2"));
        Assert.True(Enter(counts, "2001:db8:0:1::1"));
        Assert.False(Enter(counts, "2001:db8:0:1:ffff::2"));
        Assert.True(Enter(counts, "2001:db8:0:2::1"));
        Assert.True(Enter(counts, "::1"));
    }

    [Fact]
    public void Connection_that_has_ended_makes_room_for_another_one_of_its_client()
    {
        var counts = new ConnectionsByClient(2, []);
        Assert.True(Enter(counts, "192.0.2.1") && Enter(counts, "192.0.2.1"));

        counts.Leave(IPAddress.Parse("192.0.2.1"));

        Assert.True(Enter(counts, "192.0.2.1"));
        Assert.False(Enter(counts, "192.0.2.1"));
    }

    [Fact]
    public void Trusted_proxy_may_have_any_number_and_counts_for_nobody_else()
    {
        var counts = new ConnectionsByClient(1, [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::1/128")]);
        Assert.True(Enter(counts, "10.1.2.3") && Enter(counts, "10.1.2.3"));
        Assert.True(Enter(counts, "2001:db8::2") && Enter(counts, "2001:db8::1"));

        counts.Leave(IPAddress.Parse("2001:db8::1"));

        Assert.False(Enter(counts, "2001:db8::3"));
    }

    [Fact]
    public async Task Connection_beyond_the_total_is_closed_as_it_comes_and_counted_and_those_before_are_served_on()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { MaxConnections = 2 });
        await using var backend = await ServeAsync(proxy);
        await using var one = await proxy.ConnectAsync();
        await using var two = await proxy.ConnectAsync();
        await AskAsync(one);
        await AskAsync(two);

        await using var three = await proxy.ConnectAsync();
        await three.WaitForEndAsync();

        await AskAsync(one);
        var status = await proxy.StatusAsync();
        Assert.Equal((1, 0, 2), (status.RefusedConnections["total"], status.RefusedConnections["client"], status.Connections.Values.Sum()));
        await two.DisposeAsync();
        await Eventually.HoldsAsync("there is room again", end => IsServedAsync(proxy, IPAddress.Loopback, end));
    }

    [Fact]
    public async Task Client_that_has_as_many_connections_as_it_may_gets_no_more_and_others_do()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { MaxConnectionsPerClient = 2 });
        await using var backend = await ServeAsync(proxy);
        await using var one = await proxy.ConnectAsync();
        await using var two = await proxy.ConnectAsync();
        await AskAsync(one);
        await AskAsync(two);

        Assert.False(await IsServedAsync(proxy, IPAddress.Loopback));
        Assert.True(await IsServedAsync(proxy, IPAddress.Parse("127.0.0.2")));

        Assert.Equal(1, (await proxy.StatusAsync()).RefusedConnections["client"]);
        await one.DisposeAsync();
        await Eventually.HoldsAsync("there is room again", end => IsServedAsync(proxy, IPAddress.Loopback, end));
    }

    [Fact]
    public async Task Trusted_proxy_in_front_may_have_any_number_of_connections()
    {
        await using var proxy = await RunningProxy.StartAsync(options => options with { MaxConnectionsPerClient = 1, TrustedProxies = [IPNetwork.Parse("127.0.0.1/32")] });
        await using var backend = await ServeAsync(proxy);
        var clients = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => proxy.ConnectAsync()));

        foreach (var client in clients)
        {
            await AskAsync(client);
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task Streams_of_one_connection_count_as_one()
    {
        const int streams = 20;
        await using var proxy = await RunningProxy.StartAsync(options => options with { MaxConnections = 1, MaxConnectionsPerClient = 1 });
        await using var backend = await ServeAsync(proxy);
        using var client = new Http2Client(proxy.Address);

        Assert.All(await Task.WhenAll(Enumerable.Range(0, streams).Select(i => client.GetAsync($"/{i}"))), body => Assert.Equal("ok", body));
        Assert.Equal(1, client.Connections);
    }

    [Fact]
    public async Task Crowd_beyond_the_total_costs_next_to_nothing_and_the_control_socket_is_open_to_the_Controller()
    {
        using var folder = new ProxyFolder();
        await using var backend = new RawBackend();
        backend.AnswerAll(Ok);
        await using var proxy = await folder.StartAsync(("WUNDERPROXY_MAX_CONNECTIONS", "10"), ("WUNDERPROXY_MAX_CONNECTIONS_PER_CLIENT", "10"));
        await folder.PutAsync(backend.Address);

        var crowd = await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => RawConnection.ConnectAsync(proxy.Address)));
        await Eventually.HoldsAsync("the others are refused", async _ => (await folder.StatusAsync()).RefusedConnections["total"] == 290);
        var before = proxy.CpuTime;
        await Eventually.PassAsync(TimeSpan.FromSeconds(1));

        Assert.InRange(proxy.CpuTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(0.3));
        await folder.PutAsync(backend.Address);
        await Task.WhenAll(crowd.Select(client => client.DisposeAsync().AsTask()));
    }

    private static bool Enter(ConnectionsByClient counts, string address) => counts.TryEnter(IPAddress.Parse(address));

    private static async Task<RawBackend> ServeAsync(RunningProxy proxy)
    {
        var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        backend.AnswerAll(Ok);
        return backend;
    }

    private static async Task AskAsync(RawConnection client)
    {
        await client.SendAsync(Get);
        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    private static Task<bool> IsServedAsync(RunningProxy proxy, IPAddress source) => IsServedAsync(proxy, source, CancellationToken.None);

    private static async Task<bool> IsServedAsync(RunningProxy proxy, IPAddress source, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(proxy.Address, cancellationToken);
        await using var client = new RawConnection(socket);
        return await client.TrySendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") && await client.TryReadToEndAsync() is { Length: > 0 };
    }
}
