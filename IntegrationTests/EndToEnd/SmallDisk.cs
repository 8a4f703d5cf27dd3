using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>A disk of a few megabytes, mounted for a test.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    /// <summary>Mounts one; the folder is made if it isn't there.</summary>
    public static async Task<SmallDisk> MountAsync(string folder, int megabytes = 8)
    {
        Directory.CreateDirectory(folder);
        await Command.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m,mode=700", "tmpfs", folder], Deadline);
        return new SmallDisk(folder);
    }

    /// <summary>Fills it to the last block.</summary>
    /// <returns>The file to delete to make room.</returns>
    public string Fill()
    {
        var ballast = Path.Combine(_folder, "ballast");
        using var file = new FileStream(ballast, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
                file.Write(new byte[4096]);
        }
        catch (IOException)
        {
            return ballast;
        }
    }

    public async Task GrowAsync(int megabytes) => await Command.RunAsync("mount", ["-o", $"remount,size={megabytes}m", _folder], Deadline);

    /// <summary>A file that can be neither written nor replaced.</summary>
    public static async Task MakeReadOnlyAsync(string file)
    {
        await Command.RunAsync("mount", ["--bind", file, file], Deadline);
        await Command.RunAsync("mount", ["-o", "remount,bind,ro", file], Deadline);
    }

    public static async Task MakeWritableAsync(string file) => await Command.RunAsync("umount", [file], Deadline);

    // Lazily: whatever still runs on it may end later.
    public async ValueTask DisposeAsync() => await Command.RunAsync("umount", ["-l", _folder], Deadline);
}
