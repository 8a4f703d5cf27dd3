using System.Globalization;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>Measures everything every 10 s, and looks at the number of containers in between.</summary>
internal sealed class Sampler : IDisposable
{
    public const int MostContainers = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DiskDeadline = TimeSpan.FromMinutes(1);

    private readonly LabHost _lab;
    private readonly SoakedShop _steady;
    private readonly SoakedShop _shaken;
    private readonly EngineCounts _engine;
    private readonly StreamWriter _table;
    private readonly long _began = TimeProvider.System.GetTimestamp();
    private readonly List<(TimeSpan At, IReadOnlyList<double> Values)> _samples = [];
    private double _engineMebibytes;

    public Sampler(LabHost lab, SoakedShop steady, SoakedShop shaken, string table)
    {
        (_lab, _steady, _shaken, _engine) = (lab, steady, shaken, new EngineCounts(lab.DockerSocket));
        _table = new StreamWriter(table) { AutoFlush = true };
        _table.WriteLine($"seconds,{string.Join(',', Measures.Select(m => m.Unit.Length == 0 ? m.Name : $"{m.Name} {m.Unit}"))}");
    }

    /// <summary>What is measured, in the order of the columns.</summary>
    public static IReadOnlyList<Measure> Measures { get; } =
    [
        .. OfProcess("Controller", isJudged: true), new("Controller heap", "MiB", Share: 0.25, Least: 4),
        .. OfProcess("Proxy", isJudged: true),
        .. OfProcess("shaken Controller", isJudged: false), .. OfProcess("shaken Proxy", isJudged: false),
        new("containers", "", Share: 0, Least: 1), new("images", "", Share: 0, Least: 1), new("networks", "", Share: 0, Least: 0),
        new("state directories", "KiB", Share: 0.1, Least: 64),
        new("engine's disk", "MiB", Share: 0.02, Least: 4),
        new("requests", "", Share: 0.2, Least: 100) { IsTotal = true, IsJudged = false },
        new("failed requests", "", Share: 0, Least: 0) { IsTotal = true },
        new("requests failed by a crash of what served them", "", Share: 1, Least: 0) { IsTotal = true, IsJudged = false },
    ];

    /// <summary>Measures until the end.</summary>
    public async Task RunAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var next = TimeProvider.System.GetTimestamp();
            await SampleAsync();
            while (TimeProvider.System.GetElapsedTime(next) < Interval && !end.IsCancellationRequested)
            {
                await AssertFewContainersAsync();
                await Task.Delay(Look, TimeProvider.System, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>What became of each measure after the warm-up.</summary>
    public IReadOnlyList<Growth> Growths(TimeSpan warmUp)
    {
        var judged = _samples.Where(sample => sample.At >= warmUp).ToList();
        return [.. Measures.Select((measure, column) => Growth.Of(measure, [.. judged.Select(sample => (sample.At, sample.Values[column]))]))];
    }

    public void Dispose()
    {
        _engine.Dispose();
        _table.Dispose();
    }

    private static IEnumerable<Measure> OfProcess(string name, bool isJudged) =>
    [
        new($"{name} resident", "MiB", Share: 0.1, Least: 8) { IsJudged = isJudged },
        new($"{name} descriptors", "", Share: 0, Least: 4) { IsJudged = isJudged },
        new($"{name} threads", "", Share: 0, Least: 4) { IsJudged = isJudged },
        new($"{name} log", "KiB", Share: 0.5, Least: 1) { IsTotal = true, IsJudged = isJudged },
    ];

    private async Task SampleAsync()
    {
        IReadOnlyList<double> values =
        [
            .. ControllerOf(_steady), (await _steady.Shop.StatusAsync()).HeapSize / 1048576.0,
            .. ProxyOf(_steady), .. ControllerOf(_shaken), .. ProxyOf(_shaken),
            await _engine.ContainersAsync(), await _engine.ImagesAsync(), await _engine.NetworksAsync(),
            KibibytesOf(_steady.Shop) + KibibytesOf(_shaken.Shop),
            await EngineMebibytesAsync(),
            RequestsOf(_steady) + RequestsOf(_shaken),
            _steady.Record.Failed + _shaken.Record.Failed,
            ExcusedOf(_steady) + ExcusedOf(_shaken),
        ];
        var at = TimeProvider.System.GetElapsedTime(_began);
        _samples.Add((at, values));
        await _table.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds:0},{string.Join(',', values.Select(v => v.ToString("0.##", CultureInfo.InvariantCulture)))}"));
    }

    private static double[] ControllerOf(SoakedShop shop) => Of(ProcessFigures.Of(shop.Shop.Controller.Id), shop.ControllerLogged);

    private static double[] ProxyOf(SoakedShop shop) => Of(ProcessFigures.Of(shop.Proxy.Id), shop.Proxy.OutputLength);

    // A process that is being replaced at this moment holds nothing.
    private static double[] Of(ProcessFigures? figures, long logged) =>
        [figures?.ResidentMebibytes ?? 0, figures?.Descriptors ?? 0, figures?.Threads ?? 0, logged / 1024.0];

    private static double RequestsOf(SoakedShop shop) => shop.Record.Answers.Values.Sum();

    private static double ExcusedOf(SoakedShop shop) => shop.Record.Excused.Values.Sum();

    private static double KibibytesOf(Shop shop) =>
        new DirectoryInfo(shop.Installation.StateDirectory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Exists ? file.Length : 0) / 1024.0;

    // Without the file systems that running containers see, which are mounted below it.
    private async Task<double> EngineMebibytesAsync()
    {
        try
        {
            var text = await Command.RunAsync("/bin/sh", ["-c", "du -sxk \"$1\" 2>/dev/null | cut -f 1", "sh", Path.Combine(_lab.Directory, "data")], DiskDeadline);
            return _engineMebibytes = double.Parse(text, CultureInfo.InvariantCulture) / 1024;
        }
        catch (TimeoutException)
        {
            // The disk was busy: as large as before, until it is looked at again.
            return _engineMebibytes;
        }
    }

    private async Task AssertFewContainersAsync()
    {
        foreach (var application in new[] { _steady.Shop.Application, _shaken.Shop.Application })
            Assert.InRange(await _engine.ContainersOfAsync(application), 1, MostContainers);
    }
}
