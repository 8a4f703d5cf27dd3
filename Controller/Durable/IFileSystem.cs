namespace Wunderproxy.Controller.Durable;

/// <summary>The few calls that durable writing needs, so that tests can tear, lose and fail each of them.</summary>
internal interface IFileSystem
{
    /// <summary>Reads a file from its beginning.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">Where to stop.</param>
    /// <returns>At most <paramref name="maxBytes"/>; <see langword="null"/> if there is no such file.</returns>
    /// <exception cref="IOException">It couldn't be read.</exception>
    byte[]? Read(string path, int maxBytes);

    /// <summary>Makes a folder that only its owner can use, and those above it; an existing one is fine.</summary>
    /// <exception cref="DurableWriteException">It couldn't be made.</exception>
    void CreateDirectory(string path);

    /// <summary>The paths of the files in a folder, in ordinal order; none where there is no such folder.</summary>
    /// <exception cref="IOException">It couldn't be read.</exception>
    IReadOnlyList<string> List(string folder);

    /// <summary>Creates a file that must not exist yet.</summary>
    /// <exception cref="DurableWriteException">It couldn't be created.</exception>
    IWritableFile Create(string path, UnixFileMode mode);

    /// <summary>Opens an existing file for writing, with a descriptor of its own.</summary>
    /// <exception cref="DurableWriteException">It couldn't be opened.</exception>
    IWritableFile Open(string path);

    /// <summary>Puts a file in the place of another, in one step.</summary>
    /// <returns><see langword="false"/> if there is no file <paramref name="from"/>.</returns>
    /// <exception cref="DurableWriteException">It couldn't be renamed.</exception>
    bool Rename(string from, string to);

    /// <summary>Removes a file; an absent one is fine.</summary>
    /// <exception cref="DurableWriteException">It couldn't be removed.</exception>
    void Delete(string path);

    /// <summary>Makes creations, renames and removals in a folder survive a power cut.</summary>
    /// <exception cref="DurableWriteException">The folder couldn't be synced.</exception>
    void SyncDirectory(string path);
}

/// <summary>A file that is open for writing.</summary>
internal interface IWritableFile : IDisposable
{
    /// <summary>Writes all of <paramref name="content"/>; it may still be in memory only.</summary>
    /// <exception cref="DurableWriteException">Some of it wasn't written.</exception>
    void Write(long offset, ReadOnlySpan<byte> content);

    /// <summary>Returns once everything written is on the disk.</summary>
    /// <exception cref="DurableWriteException">
    /// Something isn't, and the system has forgotten what: a further sync of this descriptor would report success. Write it anew elsewhere.
    /// </exception>
    void Sync();
}
