using System.Net;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Connections on which YARP's client sends.</summary>
public class UpstreamConnectionsTests
{
    [Fact]
    public async Task Request_that_began_before_the_drain_finds_a_connection_however_late_it_is_sent()
    {
        await using var backend = AnsweringBackend();
        using var connections = UpstreamHandler.Connect(RunningProxy.TargetAt(backend.Address), TimeProvider.System);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(connections, backend));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(connections, backend));
        Assert.Equal(1, backend.Accepted);

        connections.CloseIdle();

        Assert.Equal(HttpStatusCode.OK, await SendAsync(connections, backend));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(connections, backend));
        Assert.Equal(3, backend.Accepted);
    }

    [Fact]
    public async Task Request_that_takes_a_connection_while_it_is_being_closed_is_sent_on_another_one()
    {
        await using var backend = AnsweringBackend();
        for (var i = 0; i < 500; i++)
        {
            using var connections = UpstreamHandler.Connect(RunningProxy.TargetAt(backend.Address), TimeProvider.System);
            await SendAsync(connections, backend);

            var closing = Task.Run(connections.CloseIdle);

            Assert.Equal(HttpStatusCode.OK, await SendAsync(connections, backend));
            await closing;
        }
    }

    private static RawBackend AnsweringBackend()
    {
        var backend = new RawBackend { ExpectsProbe = false };
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return backend;
    }

    private static async Task<HttpStatusCode> SendAsync(TargetConnections connections, RawBackend backend)
    {
        var exchange = new Exchange();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{backend.Address}/");
        request.Options.Set(UpstreamHandler.ExchangeKey, exchange);
        using var response = await connections.SendAsync(request, CancellationToken.None);
        await response.Content.ReadAsStringAsync();
        exchange.Connection!.Release();
        return response.StatusCode;
    }
}
