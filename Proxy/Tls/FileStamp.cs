namespace Wunderproxy.Proxy.Tls;

/// <summary>What changes when a file is replaced, be it itself or the one that it links to.</summary>
/// <param name="Path">The file, behind all links; absent: there is none.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Written">When it was last written.</param>
/// <param name="Mode">Who may read and write it.</param>
internal sealed record FileStamp(string? Path, long Length, DateTime Written, UnixFileMode Mode)
{
    // Its group may be how the Proxy gets at it.
    private const UnixFileMode ForOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Whether others than its owner and those who were given it may read it, or change it.</summary>
    public bool IsOpen => (Mode & ForOthers) != 0;

    /// <summary>The file as it is now.</summary>
    /// <exception cref="IOException">It can't be looked at.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be looked at.</exception>
    public static FileStamp Of(string path)
    {
        if (!File.Exists(path))
        {
            return new FileStamp(null, 0, default, default);
        }

        var link = new FileInfo(path);
        var file = link.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? link;
        return new FileStamp(file.FullName, file.Length, file.LastWriteTimeUtc, file.UnixFileMode);
    }
}
