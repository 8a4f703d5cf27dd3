namespace Wunderproxy.Controller.Store;

/// <summary>Watches for a change of one file that may not exist yet, nor its folder.</summary>
internal static class FileWatch
{
    /// <summary>Watches the folder of the file or, where that is absent, the nearest one above it, for the folder's appearance.</summary>
    /// <param name="root">Highest folder to watch.</param>
    /// <param name="path">The file, under <paramref name="root"/>.</param>
    /// <param name="changed">Called on another thread, once or more often than the file changed.</param>
    /// <returns>The watch, or <see langword="null"/> where the system has none to give: then only polling sees the change.</returns>
    public static IDisposable? TryBegin(string root, string path, Action<FileChange> changed)
    {
        FileSystemWatcher? watcher = null;
        try
        {
            var folder = NearestFolder(root, path);
            var name = Path.GetRelativePath(folder, path).Split('/')[0];
            watcher = new FileSystemWatcher(folder)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            Listen(watcher, name, changed);
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception failure) when (failure is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // The folder has vanished meanwhile, or the user's inotify instances are used up.
            watcher?.Dispose();
            return null;
        }
    }

    private static string NearestFolder(string root, string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        while (folder.Length > root.Length && !Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    private static void Listen(FileSystemWatcher watcher, string name, Action<FileChange> changed)
    {
        void OnEvent(object sender, FileSystemEventArgs e)
        {
            if (e.Name == name)
            {
                changed(FileChange.Written);
            }
        }

        watcher.Changed += OnEvent;
        watcher.Created += OnEvent;
        watcher.Deleted += OnEvent;
        watcher.Renamed += (sender, e) =>
        {
            if (e.Name == name || e.OldName == name)
            {
                changed(e.Name == name ? FileChange.Replaced : FileChange.Written);
            }
        };
        watcher.Error += (_, _) => changed(FileChange.Written);
    }
}

/// <summary>How a file changed.</summary>
internal enum FileChange
{
    /// <summary>Perhaps in several steps, of which this is one.</summary>
    Written,

    /// <summary>Another file took its place, whole.</summary>
    Replaced,
}
