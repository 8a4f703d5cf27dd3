using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What Controller and Proxy cost while one application serves, nobody asks and nothing changes.</summary>
internal static class IdleBenchmark
{
    private const int DefaultSeconds = 60;

    // The just-in-time compiler goes over what has run often enough for a while.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(60);

    public static async Task<string> RunAsync(LabHost lab, BenchmarkOptions options, CancellationToken cancellationToken)
    {
        using var engine = new Engine(lab.DockerSocket);
        var images = new PageImages(lab, engine);
        await images.PrepareBaseAsync(cancellationToken);
        await using var application = await BenchedApplication.StartAsync(lab, "idle");
        var image = await images.PublishAsync("idle", cancellationToken);
        var hash = await application.PublishAsync("idle", image);
        await application.MakeCurrentAsync("idle", image);
        await application.SettleAsync(hash);
        await Eventually.PassAsync(Calm);
        return await MeasureAsync(application, TimeSpan.FromSeconds(options.Seconds ?? DefaultSeconds));
    }

    private static async Task<string> MeasureAsync(BenchedApplication application, TimeSpan length)
    {
        var (controllerId, proxyId) = (application.ControllerId, application.ProxyId);
        var (controller, proxy) = (ProcessUse.Of(controllerId), ProcessUse.Of(proxyId));
        await Eventually.PassAsync(length);
        var table = new MarkdownTable($"Idle: one application serves, nobody asks, {length.TotalSeconds:0} s", "Process", "CPU ms", "CPU % of a core", "Resident memory MiB");
        Add(table, "Controller", controller, ProcessUse.Of(controllerId), length);
        Add(table, "Proxy", proxy, ProcessUse.Of(proxyId), length);
        return table.With("The kernel counts CPU time in steps of 10 ms. The release is probed each second, and the store's directory is watched.");
    }

    private static void Add(MarkdownTable table, string name, ProcessUse before, ProcessUse after, TimeSpan length)
    {
        var cpu = (after.Cpu - before.Cpu).TotalMilliseconds;
        table.Row(name, Figures.Text(cpu, "0"), Figures.Text(cpu / length.TotalMilliseconds * 100, "0.00"), Figures.Text(after.ResidentBytes / 1048576.0, "0"));
    }
}
