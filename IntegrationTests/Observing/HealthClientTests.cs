using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Observing;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Observing;

public sealed class HealthClientTests
{
    [Fact]
    public async Task Application_of_http_2_is_probed_by_http_2_on_a_connection_of_its_own_each_time()
    {
        await using var application = await GrpcBackend.StartAsync();
        application.Answer = context => context.Response.WriteAsync($"{context.Request.Protocol} {context.Request.Host} {context.Connection.Id}");
        using var client = new HealthClient(TimeProvider.System, HealthClient.Direct());
        var probe = new HealthProbe { Protocol = ApplicationProtocol.H2c, Host = "shop.example", ExpectedBody = "HTTP/2 shop.example " };

        var first = await client.ProbeAsync(probe, application.Address.ToString(), CancellationToken.None);
        var second = await client.ProbeAsync(probe, application.Address.ToString(), CancellationToken.None);

        Assert.Equal((null, null), (first?.Failure, second?.Failure));
        Assert.NotEqual(first?.Answer, second?.Answer);
    }

    [Fact]
    public async Task Application_that_does_not_speak_http_1_is_not_healthy_by_it()
    {
        await using var application = await GrpcBackend.StartAsync();
        using var client = new HealthClient(TimeProvider.System, HealthClient.Direct());

        var result = await client.ProbeAsync(new HealthProbe(), application.Address.ToString(), CancellationToken.None);

        Assert.NotNull(result?.Failure);
    }
}
