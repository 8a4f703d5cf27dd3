using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The trace context of requests (W3C) is the client's and the application's; the Proxy takes no part in it, also where somebody listens to traces in its process.</summary>
public sealed class TraceContextTests : IDisposable
{
    private const string Context = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntracestate: rojo=00f067aa0ba902b7,congo=t61rcWkgMzE\r\n";

    private readonly ActivityListener _listener = new() { ShouldListenTo = _ => true, Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded };

    public TraceContextTests() => ActivitySource.AddActivityListener(_listener);

    public void Dispose() => _listener.Dispose();

    [Theory]
    [InlineData(Context)]
    [InlineData("")]
    public async Task Application_gets_it_as_it_was_sent_over_either_version(string sent)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\n{sent}\r\n");
        await using var application = await backend.AcceptedAsync();
        Assert.Equal(sent, TraceFieldsOf(await application.ReadHeadAsync()));

        await using var h2c = await GrpcBackend.StartAsync();
        h2c.Answer = context => context.Response.WriteAsync(string.Concat(context.Request.Headers.Select(field => $"{field.Key.ToLowerInvariant()}: {field.Value}\r\n")));
        await proxy.PutAsync(proxy.SnapshotOf(RunningProxy.H2cTargetAt(h2c.Address, "c2")));
        Assert.Equal(sent, TraceFieldsOf(await proxy.ExchangeAsync($"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{sent}\r\n")));
    }

    private static string TraceFieldsOf(string text) =>
        string.Concat(text.Split("\r\n").Where(line => line.StartsWith("trace", StringComparison.OrdinalIgnoreCase) || line.StartsWith("baggage", StringComparison.OrdinalIgnoreCase)).Select(line => line + "\r\n"));
}
