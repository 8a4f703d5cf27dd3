namespace Wunderproxy.Controller.Store;

/// <summary>By what a change of a file is seen without reading it.</summary>
/// <param name="Length">Bytes; -1 where there is no file.</param>
/// <param name="LastWrite">When its content was last written.</param>
internal readonly record struct FileState(long Length, DateTime LastWrite)
{
    public static FileState Of(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? new FileState(file.Length, file.LastWriteTimeUtc) : new FileState(-1, default);
    }
}
