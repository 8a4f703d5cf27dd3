using Wunderproxy.Controller.Durable;

namespace Wunderproxy.IntegrationTests.Durable;

public sealed class DurableFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wunderproxy-durable-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Written_file_replaces_the_former_one_and_is_readable_by_its_owner_only()
    {
        var path = Path.Combine(_folder, "state.json");
        DurableFile.WriteAtomically(path, "a longer first text"u8);
        DurableFile.WriteAtomically(path, "second"u8);

        Assert.Equal("second", File.ReadAllText(path));
        Assert.Equal(DurableFile.OwnerOnly, new FileInfo(path).UnixFileMode);
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Temporary_file_left_by_a_crash_is_no_obstacle()
    {
        var path = Path.Combine(_folder, "state.json");
        File.Create(DurableFile.TemporaryPath(path)).Dispose();

        DurableFile.WriteAtomically(path, "whole"u8);

        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Missing_folder_is_an_error_that_names_path_and_reason()
    {
        var path = Path.Combine(_folder, "absent", "state.json");

        var failure = Assert.Throws<DurableWriteException>(() => DurableFile.WriteAtomically(path, "x"u8));

        Assert.Equal(DurableWriteFault.Failed, failure.Fault);
        Assert.Contains(path, failure.Message);
        Assert.Contains("No such file or directory", failure.Message);
    }

    [Fact]
    public void Full_disk_is_told_apart()
    {
        using var full = PosixFileSystem.Instance.Open("/dev/full");

        var failure = Assert.Throws<DurableWriteException>(() => full.Write(0, "x"u8));

        Assert.Equal(DurableWriteFault.NoSpace, failure.Fault);
    }

    [Fact]
    public void Unwritable_place_is_told_apart()
    {
        var failure = Assert.Throws<DurableWriteException>(() => DurableFile.WriteAtomically("/sys/wunderproxy", "x"u8));

        Assert.Equal(DurableWriteFault.ReadOnly, failure.Fault);
    }

    [Fact]
    public void Failed_write_at_any_step_leaves_the_former_content_and_no_temporary_file()
    {
        for (var failing = 1; failing <= 5; failing++)
        {
            var disk = new CrashingFileSystem(failing) { ["/state"] = "former"u8.ToArray() };
            var step = failing;
            disk.FaultAt = current => current == step ? DurableWriteFault.NoSpace : null;

            var failure = Assert.Throws<DurableWriteException>(() => DurableFile.WriteAtomically("/state", "new"u8, files: disk));

            Assert.Equal(DurableWriteFault.NoSpace, failure.Fault);
            Assert.Equal("former"u8, disk["/state"]);
            Assert.Equal(["/state"], disk.Names);
        }
    }

    [Fact]
    public void Folder_that_cannot_be_synced_is_told_since_readers_see_the_new_content()
    {
        var disk = new CrashingFileSystem(1) { ["/state"] = "former"u8.ToArray() };
        disk.FaultAt = step => step == 6 ? DurableWriteFault.Failed : null;

        var failure = Assert.Throws<DurableWriteException>(() => DurableFile.WriteAtomically("/state", "new"u8, files: disk));

        Assert.Equal(DurableWriteFault.Unsynced, failure.Fault);
        Assert.Equal("new"u8, disk["/state"]);
    }

    [Fact]
    public void Power_cut_at_any_step_leaves_the_former_content_or_the_new_one()
    {
        for (var step = 1; step <= 6; step++)
        {
            for (var seed = 0; seed < 100; seed++)
            {
                var disk = new CrashingFileSystem(seed) { PowerCutAt = step, ["/state"] = "former"u8.ToArray() };
                Assert.Throws<PowerCutException>(() => DurableFile.WriteAtomically("/state", "new"u8, files: disk));
                var found = disk.Reboot()["/state"];
                Assert.True(found.AsSpan().SequenceEqual("former"u8) || found.AsSpan().SequenceEqual("new"u8), $"step {step}, seed {seed}");
            }
        }
    }
}
