namespace Wunderproxy.Proxy.AccessLogs;

/// <summary>Where the lines of the access log go: a file, or a stream that was there before, such as the standard output.</summary>
internal sealed class AccessLogFile : IDisposable
{
    private const UnixFileMode OwnerAndGroup = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    private readonly string? _path;
    private Stream _stream;

    /// <param name="path">A file that is made if it doesn't exist.</param>
    /// <exception cref="IOException">It can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public AccessLogFile(string path)
    {
        _path = path;
        _stream = Open(path);
    }

    /// <param name="stream">A stream, which is left open in the end.</param>
    public AccessLogFile(Stream stream) => _stream = stream;

    /// <summary>What it is called in messages.</summary>
    public string Name => _path ?? "the standard output";

    /// <summary>Writes lines at the end, all or none of them where it is a file.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Write(ReadOnlySpan<byte> lines)
    {
        // Whoever turns logs over may have cut it short.
        var end = _path is not null && _stream.CanSeek ? _stream.Seek(0, SeekOrigin.End) : -1;
        try
        {
            _stream.Write(lines);
            _stream.Flush();
        }
        catch (IOException) when (end >= 0)
        {
            CutTo(end);
            throw;
        }
    }

    /// <summary>Opens the file anew, for it was renamed; what comes from now on goes into another one of the same name.</summary>
    /// <exception cref="IOException">It can't be opened; the former one stays in use.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written; the former one stays in use.</exception>
    public void Reopen()
    {
        if (_path is not null)
        {
            var former = _stream;
            _stream = Open(_path);
            former.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_path is not null)
        {
            _stream.Dispose();
        }
    }

    private static FileStream Open(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.OpenOrCreate,
        Access = FileAccess.Write,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = OwnerAndGroup,
    });

    // So that the next line doesn't follow half a line.
    private void CutTo(long end)
    {
        try
        {
            _stream.SetLength(end);
        }
        catch (IOException)
        {
            // A device has no length.
        }
    }
}
