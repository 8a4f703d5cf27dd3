using System.Net;
using System.Net.Sockets;
using System.Text;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Thousands of clients that send next to nothing, in the ways of slowhttptest: heads without an end (-H), bodies that don't come (-B), connections that say nothing.</summary>
public sealed class SlowCrowdTests : IDisposable
{
    // As many as the usual limit of descriptors lets the Proxy take, with room for those that are to be served.
    private const int Crowd = 9_000;
    private const int Served = 200;
    private const long MemoryCap = 400L << 20;

    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private const string Head = "GET / HTTP/1.1\r\nHost: a\r\nX-A: ";
    private const string Body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx";

    // Bodies are few: it is the application of the test that each of them takes a connection of.
    private static readonly string[] Beginnings = [Head, "", Head, "", Head, "", Head, "", Head, Body];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ProxyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Others_are_served_while_thousands_of_clients_are_slow_and_memory_stays_within_its_cap()
    {
        await using var backend = new RawBackend();
        backend.AnswerAll(Ok);
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
        var crowd = new List<Socket>();
        try
        {
            var size = Math.Min(Crowd, (proxy.DescriptorLimit / 2) - 500);
            for (var i = 0; i < size; i++)
            {
                crowd.Add(await BeginAsync(proxy.Address, Beginnings[i % Beginnings.Length]));
            }

            Assert.InRange((await _folder.StatusAsync()).Connections.Values.Sum(), size / 2, size);
            await using var client = await RawConnection.ConnectAsync(proxy.Address);
            for (var i = 0; i < Served; i++)
            {
                await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                Assert.EndsWith("ok", await client.ReadMessageAsync().WaitAsync(Patience, TimeProvider.System), StringComparison.Ordinal);
                await using var other = await RawConnection.ConnectAsync(proxy.Address);
                await other.SendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                Assert.EndsWith("ok", await other.ReadToEndAsync().WaitAsync(Patience, TimeProvider.System), StringComparison.Ordinal);
            }

            Assert.InRange(proxy.Memory, 1, MemoryCap);
            await Eventually.HoldsAsync(
                "none but the silent ones are left", async _ => (await _folder.StatusAsync()).Connections is var counts && (counts["active"], counts["new"]) is ( <= 1, var silent) && silent <= (size * 4 / 10) + 1);
        }
        finally
        {
            crowd.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task<Socket> BeginAsync(IPEndPoint address, string beginning)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        if (beginning.Length > 0)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(beginning));
        }

        return socket;
    }
}
