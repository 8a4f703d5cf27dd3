using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>
/// Time from the request until the first answer of the new release, against plain pull, create, start and curl of an image of the same make: on
/// a network of its own with a fixed address, as the Controller needs it, and on the engine's default network. Each is done while a client asks the
/// application again and again, for on few cores the asking itself takes time from the engine.
/// </summary>
internal sealed class DeploymentBenchmark : IDisposable
{
    private const int DefaultRounds = 20;
    private const int WarmUps = 2;
    private const string Network = "bench-floor";
    private const string Subnet = "10.213.0.0/16";
    private static readonly string[] Parts = ["notice", "pull", "create", "start", "healthy", "switch", "total"];

    private readonly Engine _engine;
    private readonly PageImages _images;

    // The first packet to a new container may get lost, and would be sent again after a second: curl would be given a short connect timeout, too.
    private readonly HttpClient _client = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromMilliseconds(50) }) { Timeout = TimeSpan.FromSeconds(5) };

    private DeploymentBenchmark(LabHost lab)
    {
        _engine = new Engine(lab.DockerSocket);
        _images = new PageImages(lab, _engine);
    }

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        using var benchmark = new DeploymentBenchmark(lab);
        await using var application = await BenchedApplication.StartAsync(lab, "deployments");
        await benchmark._images.PrepareBaseAsync(cancellationToken);
        await benchmark._engine.CreateNetworkAsync(Network, Subnet, cancellationToken);
        return await benchmark.MeasureAsync(application, options.Rounds ?? DefaultRounds, cancellationToken);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _client.Dispose();
    }

    private async Task<string> MeasureAsync(BenchedApplication application, int rounds, CancellationToken cancellationToken)
    {
        var defaults = new List<Times>();
        var floors = new List<Times>();
        var declared = new List<Times>();
        var ordered = new List<Times>();
        for (var round = -WarmUps; round < rounds; round++)
        {
            // Each goes first, second, third and last equally often.
            var number = round + WarmUps;
            Func<Task>[] ways =
            [
                async () => defaults.Add(await FloorAsync(application, $"default{number}", network: null, cancellationToken)),
                async () => floors.Add(await FloorAsync(application, $"floor{number}", (Network, $"10.213.1.{number + 1}"), cancellationToken)),
                async () => declared.Add(await DeclareAsync(application, $"declared{number}", cancellationToken)),
                async () => ordered.Add(await OrderAsync(application, $"ordered{number}", cancellationToken)),
            ];
            for (var i = 0; i < ways.Length; i++)
                await ways[(i + number) % ways.Length]();
            await Console.Error.WriteLineAsync($"round {round + 1} of {rounds}: floor {floors[^1]["total"]:0} ms (default network {defaults[^1]["total"]:0} ms), current.json {declared[^1]["total"]:0} ms, launch and switch {ordered[^1]["total"]:0} ms");
        }

        return Report(defaults[WarmUps..], floors[WarmUps..], declared[WarmUps..], ordered[WarmUps..]);
    }

    private async Task<Times> FloorAsync(BenchedApplication application, string version, (string Name, string Address)? network, CancellationToken cancellationToken)
    {
        var image = await _images.PublishAsync(version, cancellationToken);
        var container = "";
        var times = new Times();
        await FirstAnswer.MeanwhileAsync(_client, application.Public, BringUpAsync, cancellationToken);
        var address = new Uri($"http://{await _engine.AddressOfAsync(container, cancellationToken)}:{PageImages.Port}/");
        times.End("healthy", await FirstAnswer.AwaitAsync(_client, address, version, cancellationToken));
        await _engine.RemoveContainerAsync(container, cancellationToken);
        await _engine.RemoveImageAsync(image, cancellationToken);
        return times;

        async Task BringUpAsync()
        {
            await _engine.PullAsync(_images.Repository, version, cancellationToken);
            times.Note("pull");
            container = await _engine.CreateAsync(image, network, cancellationToken);
            times.Note("create");
            await _engine.StartAsync(container, cancellationToken);
            times.Note("start");
        }
    }

    private async Task<Times> DeclareAsync(BenchedApplication application, string version, CancellationToken cancellationToken)
    {
        var image = await _images.PublishAsync(version, cancellationToken);
        var hash = await application.PublishAsync(version, image);
        var times = new Times();
        await application.MakeCurrentAsync(version, image);
        times.End("switch", await FirstAnswer.AwaitAsync(_client, application.Public, version, cancellationToken));
        times.Divide((await application.SettleAsync(hash)).Where(d => d.Kind == DeploymentKind.Deploy).Take(1));
        return times;
    }

    private async Task<Times> OrderAsync(BenchedApplication application, string version, CancellationToken cancellationToken)
    {
        var image = await _images.PublishAsync(version, cancellationToken);
        var hash = await application.PublishAsync(version, image);
        var times = new Times();
        await FirstAnswer.MeanwhileAsync(_client, application.Public, () => application.OrderAsync("launch", hash, cancellationToken), cancellationToken);
        var switching = application.OrderAsync("switch", hash, cancellationToken);
        times.End("switch", await FirstAnswer.AwaitAsync(_client, application.Public, version, cancellationToken));
        await switching;
        times.Divide((await application.SettleAsync(hash)).Where(d => d.Kind is DeploymentKind.Launch or DeploymentKind.Switch).Reverse());
        return times;
    }

    private static string Report(List<Times> defaults, List<Times> floors, List<Times> declared, List<Times> ordered)
    {
        var table = new MarkdownTable(
            $"Deployments: from the request to the first answer of the new release, ms, {floors.Count} rounds",
            "Part", "Default network", "Middle half (all)", "Floor: pull, create, start, curl", "Middle half (all)", "`current.json`", "Middle half (all)", "`/launch`, `/switch`", "Middle half (all)");
        foreach (var part in Parts)
            table.Row([part, .. Cells(defaults, part), .. Cells(floors, part), .. Cells(declared, part), .. Cells(ordered, part)]);
        return table.With(
            $"Above the floor, median of the rounds' differences: `current.json` **{Above(declared, floors)} ms**, `/launch` and `/switch` **{Above(ordered, floors)} ms** (goal: at most 50 ms). "
            + $"Above the same calls on the default network: {Above(declared, defaults)} ms and {Above(ordered, defaults)} ms; the floor itself is {Above(floors, defaults)} ms above them.");
    }

    private static string[] Cells(List<Times> all, string part)
    {
        var figures = new Figures(all.Where(t => t.Has(part)).Select(t => t[part]));
        return figures.Count == 0 ? ["", ""] : [figures.MedianText("0"), figures.Spread("0")];
    }

    private static string Above(List<Times> ours, List<Times> floors) => new Figures(ours.Zip(floors, (o, f) => o["total"] - f["total"])).MedianText("0");
}
