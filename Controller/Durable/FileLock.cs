using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Controller.Durable;

/// <summary>An exclusive lock between processes of one host. The kernel drops it when its holder ends, however it ends.</summary>
internal sealed class FileLock : IDisposable
{
    // Wide enough for any pid, so that a shorter one leaves no digit of a longer one.
    private const int HolderBytes = 16;

    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock if it is free, and writes this process's id into the file for those who come later.</summary>
    /// <param name="path">The lock file; created if absent, never removed, since removing it would let two holders in.</param>
    /// <returns>The lock, or <see langword="null"/> if another holds it: <see cref="HolderOf"/> tells who.</returns>
    /// <exception cref="DurableWriteException">The file couldn't be created, opened or locked.</exception>
    public static FileLock? TryAcquire(string path)
    {
        var file = Libc.Open(path, Libc.ReadWrite | Libc.CreateIfAbsent | Libc.CloseOnExec, (uint)DurableFile.OwnerOnly);
        if (file.IsInvalid)
        {
            throw Libc.Failure("open", path);
        }

        if (Libc.Lock(file, Libc.LockExclusive | Libc.LockWithoutWaiting) == 0)
        {
            WriteHolder(file);
            return new FileLock(file);
        }

        var failure = Libc.WouldHaveBlocked ? null : Libc.Failure("flock", path);
        file.Dispose();
        return failure is null ? null : throw failure;
    }

    /// <summary>The id of the process that took the lock last; <see langword="null"/> if the file doesn't say.</summary>
    public static int? HolderOf(string path)
    {
        try
        {
            var text = Encoding.ASCII.GetString(PosixFileSystem.Instance.Read(path, HolderBytes) ?? []);
            return int.TryParse(text.Trim(), CultureInfo.InvariantCulture, out var holder) ? holder : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();

    // The lock is held with or without this note, so a full disk is no reason to refuse it.
    private static void WriteHolder(SafeFileHandle file)
    {
        var holder = Environment.ProcessId.ToString(CultureInfo.InvariantCulture).PadRight(HolderBytes - 1) + "\n";
        _ = Libc.WriteAt(file, Encoding.ASCII.GetBytes(holder), HolderBytes, 0);
    }
}
