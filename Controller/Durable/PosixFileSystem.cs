using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Controller.Durable;

/// <summary>The real file system, every error checked.</summary>
internal sealed class PosixFileSystem : IFileSystem
{
    public static PosixFileSystem Instance { get; } = new();

    public byte[]? Read(string path, int maxBytes)
    {
        // Not by .NET's own open: that takes a shared lock on the file, and with it fails on one that is locked.
        using var file = TryOpen(path, Libc.ReadOnly, UnixFileMode.None);
        if (file.IsInvalid)
        {
            return Libc.WasAbsent ? null : throw Libc.Failure("open", path);
        }

        var content = new byte[(int)Math.Min(RandomAccess.GetLength(file), maxBytes)];
        return content[..ReadUpTo(file, content)];
    }

    public void CreateDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new DurableWriteException(
                failure is UnauthorizedAccessException ? DurableWriteFault.ReadOnly : DurableWriteFault.Failed, $"folder '{path}' can't be made: {failure.Message.TrimEnd('.')}", failure);
        }
    }

    public IReadOnlyList<string> List(string folder) => Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)] : [];

    public IWritableFile Create(string path, UnixFileMode mode) =>
        Open(path, Libc.ReadWrite | Libc.CreateIfAbsent | Libc.MustNotExist, mode);

    public IWritableFile Open(string path) => Open(path, Libc.ReadWrite, UnixFileMode.None);

    public bool Rename(string from, string to)
    {
        if (Libc.Rename(from, to) == 0)
        {
            return true;
        }

        return Libc.WasAbsent && !File.Exists(from) ? false : throw Libc.Failure("rename", to);
    }

    public void Delete(string path)
    {
        if (Libc.Unlink(path) != 0 && !Libc.WasAbsent)
        {
            throw Libc.Failure("unlink", path);
        }
    }

    public void SyncDirectory(string path)
    {
        using var directory = OpenHandle(path, Libc.ReadOnly, UnixFileMode.None);
        Sync(directory, path);
    }

    private static WritableFile Open(string path, int flags, UnixFileMode mode) => new(OpenHandle(path, flags, mode), path);

    private static SafeFileHandle OpenHandle(string path, int flags, UnixFileMode mode)
    {
        var handle = TryOpen(path, flags, mode);
        return handle.IsInvalid ? throw Libc.Failure("open", path) : handle;
    }

    private static SafeFileHandle TryOpen(string path, int flags, UnixFileMode mode)
    {
        SafeFileHandle handle;
        do
        {
            handle = Libc.Open(path, flags | Libc.CloseOnExec, (uint)mode);
        }
        while (handle.IsInvalid && Libc.WasInterrupted);

        return handle;
    }

    private static void Sync(SafeFileHandle handle, string path)
    {
        int result;
        do
        {
            result = Libc.Sync(handle);
        }
        while (result != 0 && Libc.WasInterrupted);

        if (result != 0)
        {
            throw Libc.Failure("fsync", path);
        }
    }

    private static int ReadUpTo(SafeFileHandle file, byte[] content)
    {
        var total = 0;
        while (RandomAccess.Read(file, content.AsSpan(total), total) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }

    /// <summary>A descriptor. Closing it reports nothing: what was synced is on the disk, and what wasn't is not promised.</summary>
    private sealed class WritableFile(SafeFileHandle handle, string path) : IWritableFile
    {
        public void Write(long offset, ReadOnlySpan<byte> content)
        {
            while (!content.IsEmpty)
            {
                var written = Libc.WriteAt(handle, content, content.Length, offset);
                if (written < 0 && !Libc.WasInterrupted)
                {
                    throw Libc.Failure("write", path);
                }

                var count = (int)Math.Max(written, 0);
                content = content[count..];
                offset += count;
            }
        }

        public void Sync() => PosixFileSystem.Sync(handle, path);

        public void Dispose() => handle.Dispose();
    }
}
