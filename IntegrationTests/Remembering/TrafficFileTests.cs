using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Remembering;
using Wunderproxy.IntegrationTests.Durable;
using static Wunderproxy.IntegrationTests.Remembering.Points;

namespace Wunderproxy.IntegrationTests.Remembering;

public sealed class TrafficFileTests
{
    private const string Path = "/state/traffic";

    [Fact]
    public void What_was_saved_is_read_again()
    {
        var disk = new CrashingFileSystem(1);
        var history = History(3);

        Open(disk).Save(history);
        var loaded = Open(disk).Load(out var problem);

        Assert.Null(problem);
        Assert.Equal(history.AskFrom, loaded.AskFrom);
        foreach (var minutes in (int[])[10, 60])
        {
            Assert.Equivalent(history.Report(minutes, Begin.AddSeconds(30)), loaded.Report(minutes, Begin.AddSeconds(30)), strict: true);
        }
    }

    [Fact]
    public void Power_cut_at_any_instant_of_a_save_leaves_this_save_or_the_one_before()
    {
        for (var step = 1; step <= 6; step++)
        {
            for (var seed = 0; seed < 50; seed++)
            {
                var disk = new CrashingFileSystem(seed);
                var file = Open(disk);
                file.Save(History(1));
                disk.PowerCutAt = disk.Steps + step;
                try
                {
                    file.Save(History(2));
                }
                catch (PowerCutException)
                {
                }

                var loaded = Open(disk.Reboot()).Load(out _);

                Assert.InRange(loaded.Seconds.Points.Count, 1, 2);
            }
        }
    }

    [Fact]
    public void Content_that_is_none_begins_a_new_history_and_says_so()
    {
        var disk = new CrashingFileSystem(1);
        SlotFile.Open(Path, disk).Save("something else"u8);
        Assert.Empty(Open(disk).Load(out var problem).Seconds.Points);
        Assert.Contains("another version", problem, StringComparison.Ordinal);

        SlotFile.Open(Path, disk).Save([1, 0, 5]);
        Assert.Empty(Open(disk).Load(out problem).Seconds.Points);
        Assert.StartsWith(Path, problem, StringComparison.Ordinal);

        disk[Path + ".a"] = disk[Path + ".b"] = new byte[100];
        Assert.Empty(Open(disk).Load(out problem).Seconds.Points);
        Assert.StartsWith(Path, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Largest_history_fits_into_the_file()
    {
        var most = new TrafficPoint
        {
            At = Begin,
            Requests = long.MaxValue,
            ByClass = Enumerable.Range(0, 10).ToDictionary(digit => digit, _ => long.MaxValue),
            BytesIn = long.MaxValue,
            BytesOut = long.MaxValue,
            P50Ms = double.MaxValue,
            P90Ms = double.MaxValue,
            P99Ms = double.MaxValue,
        };
        var history = new TrafficHistory();
        history.Take(
            Recent(0, [.. Enumerable.Range(0, 40).Select(i => Release($"{i:d64}", Enumerable.Repeat(most, 600), Enumerable.Repeat(most, 8640)))]) with
            {
                Switches = [.. Enumerable.Range(0, 2000).Select(i => new TrafficSwitch(Begin.AddSeconds(i - 3600), $"{i:d64}", new string('r', 200)))],
            },
            null);
        var disk = new CrashingFileSystem(1);

        Open(disk).Save(history);

        Assert.All(disk.Names, name => Assert.InRange(disk[name].Length, 1, SlotFile.MaxBytes));
        Assert.Equal(history.Seconds.Points.Count, Open(disk).Load(out _).Seconds.Points.Count);
    }

    [Fact]
    public void Busy_day_takes_a_few_hundred_kilobytes_and_only_its_owner_reads_it()
    {
        var folder = Directory.CreateTempSubdirectory("wp-traffic");
        try
        {
            var path = System.IO.Path.Combine(folder.FullName, "traffic");
            var history = new TrafficHistory();
            history.Take(Recent(0, Release("a", Enumerable.Range(-600, 600).Select(i => Point(i, 5000)), Enumerable.Range(-8640, 8640).Select(i => Point(10 * i, 50_000)))), null);

            new TrafficFile(path, PosixFileSystem.Instance).Save(history);

            foreach (var file in folder.GetFiles())
            {
                Assert.InRange(file.Length, 1, 512 << 10);
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode);
            }

            Assert.Equal(["traffic.a", "traffic.b"], folder.GetFiles().Select(file => file.Name).Order());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static TrafficFile Open(IFileSystem disk) => new(Path, disk);

    private static TrafficHistory History(int points)
    {
        var history = new TrafficHistory();
        history.Take(
            Recent(29.5, Release("a", Enumerable.Range(0, points).Select(i => Point(i, i + 1)), [Point(0, 6)]), Release(null, null, [Point(10, 1), Point(20, 4)])) with { Switches = [new TrafficSwitch(Begin, "a", "of a")] },
            null);
        return history;
    }
}
