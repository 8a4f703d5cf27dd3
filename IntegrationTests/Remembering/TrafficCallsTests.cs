using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Remembering;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;

namespace Wunderproxy.IntegrationTests.Remembering;

public sealed class TrafficCallsTests
{
    [Fact]
    public async Task Answer_has_exactly_the_promised_shape()
    {
        var point = new TrafficPoint
        {
            At = Points.Begin,
            Requests = 120,
            ByClass = new SortedDictionary<int, long> { [2] = 118, [5] = 2 },
            BytesIn = 0,
            BytesOut = 1234,
            P50Ms = 1.2,
            P90Ms = 3,
            P99Ms = 9,
        };
        await using var api = await StartAsync(new ToldTraffic(minutes => new TrafficDocument
        {
            StepSeconds = minutes == 60 ? 10 : 1,
            Until = Points.Begin,
            Revisions = [new RevisionTraffic("12", "ab", [point]), new RevisionTraffic("", null, [])],
            Switches = [new TrafficSwitch(Points.Begin, "ab", "12")],
        }));
        using var client = new HttpClient { BaseAddress = new Uri(api.BoundAddress) };
        const string expected = """
            {"StepSeconds":10,"Until":"2026-11-27T07:00:00+00:00","Revisions":[{"Revision":"12","Hash":"ab","Points":[{"At":"2026-11-27T07:00:00+00:00","Requests":120,"ByClass":{"2":118,"5":2},"BytesIn":0,"BytesOut":1234,"P50Ms":1.2,"P90Ms":3,"P99Ms":9}]},{"Revision":"","Hash":null,"Points":[]}],"Switches":[{"At":"2026-11-27T07:00:00+00:00","Hash":"ab","Revision":"12"}]}

            """;

        Assert.Equal(expected, await client.GetStringAsync("/traffic?minutes=60"));
        Assert.Equal(expected, await client.GetStringAsync("/traffic"));
        Assert.StartsWith("{\"StepSeconds\":1,", await client.GetStringAsync("/traffic?minutes=1440"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("minutes=0")]
    [InlineData("minutes=1441")]
    [InlineData("minutes=1.5")]
    [InlineData("minutes=")]
    [InlineData("minutes=1&minutes=2")]
    [InlineData("hours=1")]
    public async Task Time_that_is_not_kept_is_refused(string query)
    {
        await using var api = await StartAsync(new ToldTraffic(_ => throw new InvalidOperationException("It was asked.")));
        using var client = new HttpClient { BaseAddress = new Uri(api.BoundAddress) };

        using var answer = await client.GetAsync(new Uri($"/traffic?{query}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("minutes", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_a_real_proxy_has_answered_are_told_by_the_second_by_release_and_survive_its_restart()
    {
        var folder = Directory.CreateTempSubdirectory("wp-traffic");
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        using var control = new ProxyControlClient(proxy.Options.ControlSocket, TimeProvider.System);
        using var keeper = new TrafficKeeper("shop", control, Path.Combine(folder.FullName, "traffic"), PosixFileSystem.Instance, TimeProvider.System, NullLogger<TrafficKeeper>.Instance);
        await using var api = await StartAsync(keeper);
        using var client = new HttpClient();
        for (var i = 0; i < 5; i++)
        {
            await client.GetStringAsync(new Uri($"http://{proxy.Address}/"));
        }

        await AssertTrafficAsync(api, 5);
        await proxy.RestartAsync();
        await client.GetStringAsync(new Uri($"http://{proxy.Address}/"));
        await AssertTrafficAsync(api, 6);
        folder.Delete(recursive: true);
    }

    private static async Task AssertTrafficAsync(AdminApi api, long requests)
    {
        using var client = new HttpClient { BaseAddress = new Uri(api.BoundAddress) };
        var document = await Eventually.FindAsync($"{requests} requests are told", async cancellationToken =>
            JsonSerializer.Deserialize(await client.GetStringAsync("/traffic?minutes=10", cancellationToken), ContractsJson.Default.TrafficDocument) is { Revisions: [var revision] } told
            && revision.Points.Sum(point => point.Requests) == requests ? told : null);

        Assert.Equal(("r-c1", "c1"), (document.Revisions[0].Hash, document.Revisions[0].Revision));
        Assert.Equal("r-c1", Assert.Single(document.Switches).Hash);
        Assert.Equal(requests * 2, document.Revisions[0].Points.Sum(point => point.BytesOut));
        var day = JsonSerializer.Deserialize(await client.GetStringAsync("/traffic?minutes=1440"), ContractsJson.Default.TrafficDocument)!;
        Assert.Equal((10, requests), (day.StepSeconds, day.Revisions[0].Points.Sum(point => point.Requests)));
    }

    private static Task<AdminApi> StartAsync(ITraffic traffic) => AdminApi.StartAsync(
        new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))) { Further = new TrafficCalls(traffic).Map }, new FakeOperations(), Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, default);
}
