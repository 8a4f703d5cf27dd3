using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>Connections to the applications in simulated containers.</summary>
internal sealed class ContainerConnections(SimulatedEngine engine, TimeProvider time, Random random) : HttpMessageHandler
{
    /// <summary>Part of the connections that hang, 0 to 1.</summary>
    public double Trouble { get; set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.NextDouble() * 5), time, cancellationToken);
        var container = engine.At(request.RequestUri!.Host);
        if (container is null or { Status: Controller.Docker.ContainerStatus.Paused } || random.NextDouble() < Trouble)
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        if (!container!.Listens(time))
            throw new HttpRequestException("Connection refused", new SocketException((int)SocketError.ConnectionRefused));
        return container.IsHealthy(time)
            ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent("ok"u8.ToArray()) }
            : new HttpResponseMessage(HttpStatusCode.ServiceUnavailable) { Content = new ByteArrayContent("sick"u8.ToArray()) };
    }
}
