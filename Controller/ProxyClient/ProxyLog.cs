using System.Text;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>The file that receives the output of a Proxy that was started here.</summary>
internal sealed class ProxyLog
{
    private const long RotateAboveBytes = 10 << 20;
    private const int TailBytes = 16 << 10;
    private const int TailLines = 20;

    private readonly string _path;
    private readonly long _begin;

    private ProxyLog(string path, long begin) => (_path, _begin) = (path, begin);

    /// <summary>Prepares the file for a start: readable by its owner only, and set aside as <c>{path}.1</c> where it has grown too large.</summary>
    public static ProxyLog Prepare(string path)
    {
        if (File.Exists(path) && new FileInfo(path).Length > RotateAboveBytes)
        {
            File.Move(path, path + ".1", overwrite: true);
        }

        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        return new ProxyLog(path, file.Length);
    }

    /// <summary>The last lines that were written since the start, at most 20.</summary>
    public string Tail()
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = Math.Max(_begin, file.Length - TailBytes);
        using var reader = new StreamReader(file, Encoding.UTF8);
        return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(TailLines));
    }
}
