using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.Proxy.Control;

/// <summary>The folder that holds one <see cref="DurableFile"/> for each application. One Proxy at a time uses it. Not thread-safe.</summary>
internal sealed partial class StateDirectory : IApplicationRecords, IDisposable
{
    private const string Extension = ".state";
    private const string HostDrainName = "host-drain.json";

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger<StateDirectory> _logger;
    private readonly FileStream _lock;
    private readonly Dictionary<string, DurableFile> _files = [];

    private StateDirectory(string folder, TimeProvider time, ILogger<StateDirectory> logger)
    {
        _folder = folder;
        _time = time;
        _logger = logger;
        _lock = new FileStream(Path.Combine(folder, "proxy.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Takes a folder into use; it is made if it doesn't exist.</summary>
    /// <exception cref="IOException">Another Proxy uses it, or it can't be used.</exception>
    /// <exception cref="UnauthorizedAccessException">It belongs to somebody else.</exception>
    public static StateDirectory Open(string folder, TimeProvider time, ILogger<StateDirectory> logger)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new StateDirectory(folder, time, logger);
    }

    /// <inheritdoc/>
    /// <remarks>Files that can't be read are set aside.</remarks>
    public IReadOnlyList<ApplicationRecord> Load()
    {
        var records = new List<ApplicationRecord>();
        foreach (var path in Directory.EnumerateFiles(_folder, "*" + Extension).Order(StringComparer.Ordinal).ToList())
        {
            if (TryLoad(path) is { } record)
            {
                records.Add(record);
            }
        }

        return records;
    }

    /// <inheritdoc/>
    public void Write(ApplicationRecord record)
    {
        if (!_files.TryGetValue(record.Application, out var file))
        {
            file = DurableFile.Open(PathOf(record.Application));
            _files.Add(record.Application, file);
        }

        file.Write(record.Write());
    }

    /// <inheritdoc/>
    public void Remove(string application)
    {
        DurableFile.Remove(PathOf(application));
        if (_files.Remove(application, out var file))
        {
            file.Dispose();
        }
    }

    /// <summary>What <see cref="WriteHostDrain"/> kept; absent: nothing. A file that can't be read counts as an empty one.</summary>
    public byte[]? ReadHostDrain()
    {
        var path = Path.Combine(_folder, HostDrainName);
        try
        {
            return File.Exists(path) ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FileUnreadable(path, e.Message);
            return [];
        }
    }

    /// <summary>Keeps that the host is out of service, or forgets it. When this returns, it is on the disk.</summary>
    /// <param name="document">What is kept; absent: the host is in service.</param>
    /// <exception cref="IOException">It may not be on the disk.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not on the disk.</exception>
    public void WriteHostDrain(byte[]? document)
    {
        var path = Path.Combine(_folder, HostDrainName);
        if (document is null)
        {
            DurableFile.Remove(path);
        }
        else
        {
            DurableFile.Replace(path, document);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in _files.Values)
        {
            file.Dispose();
        }

        _lock.Dispose();
    }

    private string PathOf(string application) => Path.Combine(_folder, application + Extension);

    private ApplicationRecord? TryLoad(string path)
    {
        DurableFile? file = null;
        try
        {
            file = DurableFile.Open(path);
            if (file.DamagedSlots > 0)
            {
                SlotDamaged(path, file.Content is null ? "none" : "the other one");
            }

            if (file.Content is { } content)
            {
                var record = ApplicationRecord.Read(content);
                _files.Add(record.Application, file);
                return record;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or ArgumentException)
        {
            FileUnreadable(path, e.Message);
        }

        file?.Dispose();
        SetAside(path);
        return null;
    }

    private void SetAside(string path)
    {
        var aside = $"{path}.damaged-{_time.GetUtcNow().ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture)}";
        try
        {
            File.Move(path, aside);
            FileSetAside(path, aside);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            FileUnreadable(path, e.Message);
        }
    }

    [LoggerMessage(401, LogLevel.Warning, "State file {Path} had a damaged slot, as after a crash during a write; used {Used}")]
    private partial void SlotDamaged(string path, string used);

    [LoggerMessage(402, LogLevel.Error, "State file {Path} could not be used: {Reason}")]
    private partial void FileUnreadable(string path, string reason);

    [LoggerMessage(403, LogLevel.Error, "Set state file {Path} aside as {Aside}; its application is unknown until its Controller sends a snapshot")]
    private partial void FileSetAside(string path, string aside);
}
