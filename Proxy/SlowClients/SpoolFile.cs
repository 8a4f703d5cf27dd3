using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.SlowClients;

/// <summary>The temporary file of one body. It has no name: nobody else can open it, and it is gone when it is closed or the process ends.</summary>
internal sealed class SpoolFile : IDisposable
{
    /// <summary>What the name ends with, as long as there is one.</summary>
    public const string Extension = ".body";

    private readonly FileStream _file;

    private SpoolFile(FileStream file) => _file = file;

    private SafeFileHandle Handle => _file.SafeFileHandle;

    /// <summary>Makes a file.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder doesn't belong to the process.</exception>
    public static SpoolFile Open(string folder)
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N") + Extension);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return new SpoolFile(file);
    }

    /// <summary>Writes all bytes. May be called on several threads for different places.</summary>
    /// <exception cref="IOException">The disk is full or broken.</exception>
    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(Handle, bytes, offset);

    /// <summary>Reads as many bytes as are asked for.</summary>
    /// <exception cref="IOException">The disk is broken.</exception>
    public void Read(Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(Handle, bytes, offset);
            if (count == 0)
            {
                throw new IOException("A temporary file is shorter than what was written to it.");
            }

            bytes = bytes[count..];
            offset += count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
