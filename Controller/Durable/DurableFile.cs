namespace Wunderproxy.Controller.Durable;

/// <summary>Replaces a file such that a reader, and a power cut, find the former content or the new one, never a part.</summary>
internal static class DurableFile
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a hidden file beside the target, syncs it, renames it over the target and syncs the folder.</summary>
    /// <param name="path">The target. Its folder must exist. One writer at a time: callers that may race hold a <see cref="FileLock"/>.</param>
    /// <param name="content">The whole new content.</param>
    /// <param name="mode">Mode of the new file, less the process's umask.</param>
    /// <param name="files">The file system; absent: the real one.</param>
    /// <exception cref="DurableWriteException">Nothing changed, except with <see cref="DurableWriteFault.Unsynced"/>.</exception>
    public static void WriteAtomically(string path, ReadOnlySpan<byte> content, UnixFileMode mode = OwnerOnly, IFileSystem? files = null)
    {
        files ??= PosixFileSystem.Instance;
        var temporary = TemporaryPath(path);
        try
        {
            files.Delete(temporary);
            WriteNew(files, temporary, content, mode);
            Replace(files, temporary, path);
        }
        catch (DurableWriteException failure)
        {
            Discard(files, temporary);
            throw new DurableWriteException(failure.Fault, $"'{path}' was not written, {failure.Message}. What it held before is unchanged.", failure);
        }

        SyncFolderOf(path, files);
    }

    /// <summary>Removes a file for good; an absent one is fine.</summary>
    /// <param name="path">The file.</param>
    /// <param name="files">The file system; absent: the real one.</param>
    /// <exception cref="DurableWriteException">It is still there, or with <see cref="DurableWriteFault.Unsynced"/> may come back.</exception>
    public static void Delete(string path, IFileSystem? files = null)
    {
        files ??= PosixFileSystem.Instance;
        files.Delete(path);
        SyncFolderOf(path, files);
    }

    /// <summary>The name under which new content grows; one that a crash left behind is removed by the next write.</summary>
    public static string TemporaryPath(string path) => Path.Combine(FolderOf(path), $".{Path.GetFileName(path)}.tmp");

    private static string FolderOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";

    private static void WriteNew(IFileSystem files, string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        using var file = files.Create(path, mode);
        file.Write(0, content);
        file.Sync();
    }

    private static void Replace(IFileSystem files, string temporary, string path)
    {
        if (!files.Rename(temporary, path))
        {
            throw new DurableWriteException(DurableWriteFault.Failed, $"'{temporary}' was removed by somebody else meanwhile");
        }
    }

    private static void SyncFolderOf(string path, IFileSystem files)
    {
        try
        {
            files.SyncDirectory(FolderOf(path));
        }
        catch (DurableWriteException failure)
        {
            throw new DurableWriteException(
                DurableWriteFault.Unsynced, $"'{path}' was changed, but a power cut may undo it, {failure.Message}.", failure);
        }
    }

    private static void Discard(IFileSystem files, string temporary)
    {
        try
        {
            files.Delete(temporary);
        }
        catch (DurableWriteException)
        {
            // The first failure is the one to report; the next write removes what is left.
        }
    }
}
