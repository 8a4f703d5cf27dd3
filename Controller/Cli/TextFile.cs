namespace Wunderproxy.Controller.Cli;

/// <summary>Reads small files that an operator named.</summary>
internal static class TextFile
{
    /// <summary>Reads a file whole.</summary>
    /// <param name="path">The file.</param>
    /// <param name="capBytes">Larger files are refused.</param>
    /// <exception cref="SettingException">It can't be read: why, and what to do.</exception>
    public static byte[] Read(string path, int capBytes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[capBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= capBytes ? bytes[..length] : throw new SettingException($"has more than {capBytes} bytes; is it the right file?");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SettingException("doesn't exist. Check the path.");
        }
        catch (UnauthorizedAccessException)
        {
            throw new SettingException(Directory.Exists(path) ? "is a directory. Name a file in it." : "may not be read by this user. Check its mode and owner.");
        }
        catch (IOException e)
        {
            throw new SettingException($"can't be read: {e.Message}");
        }
    }
}
