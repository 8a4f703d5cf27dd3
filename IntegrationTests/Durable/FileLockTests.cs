using System.Diagnostics;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.IntegrationTests.Durable;

public sealed class FileLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wunderproxy-lock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Second_holder_is_refused_and_learns_who_holds_it()
    {
        var path = Path.Combine(_folder, "lock");
        using (var first = FileLock.TryAcquire(path))
        {
            Assert.NotNull(first);
            Assert.Null(FileLock.TryAcquire(path));
            Assert.Equal(Environment.ProcessId, FileLock.HolderOf(path));
        }

        using var next = FileLock.TryAcquire(path);
        Assert.NotNull(next);
    }

    [Fact]
    public void Process_started_by_the_holder_does_not_hold_the_lock_on()
    {
        var path = Path.Combine(_folder, "lock");
        var holder = FileLock.TryAcquire(path);
        using var child = Process.Start("sleep", "30");
        try
        {
            holder!.Dispose();
            using var next = FileLock.TryAcquire(path);
            Assert.NotNull(next);
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public void Missing_folder_is_an_error_not_a_held_lock() =>
        Assert.Throws<DurableWriteException>(() => FileLock.TryAcquire(Path.Combine(_folder, "absent", "lock")));
}
