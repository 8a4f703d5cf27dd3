using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Hooks;

/// <summary>Which calls still wait for which hook, and what was seen last, in a file beside the state file: so a Controller that ends, be it by force, is followed by one that tells the rest. Safe from any thread.</summary>
internal sealed partial class HookLedger
{
    /// <summary>Calls that wait for one hook at most.</summary>
    public const int MaxWaiting = 64;

    private const int MaxBytes = 4 << 20;

    private readonly string _path;
    private readonly IFileSystem _files;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private HookRecord _record;
    private bool _isKept = true;

    /// <param name="path">The file.</param>
    /// <param name="hooks">Keys of the hooks; what waited for others is forgotten.</param>
    /// <param name="files">The file system.</param>
    /// <param name="logger">Where it is told that the file can't be read or written.</param>
    public HookLedger(string path, IReadOnlyCollection<string> hooks, IFileSystem files, ILogger logger)
    {
        (_path, _files, _logger) = (path, files, logger);
        var kept = Read();
        _record = kept with { Waiting = hooks.ToDictionary(hook => hook, hook => kept.Waiting.GetValueOrDefault(hook, []), StringComparer.Ordinal) };
    }

    /// <summary>What was seen last; absent: nothing was yet.</summary>
    public SeenHost? Seen
    {
        get
        {
            lock (_gate)
            {
                return _record.Seen;
            }
        }
    }

    /// <summary>The calls that wait for a hook, in their order.</summary>
    public IReadOnlyList<HookCall> WaitingFor(string hook)
    {
        lock (_gate)
        {
            return _record.Waiting.GetValueOrDefault(hook, []);
        }
    }

    /// <summary>Notes what was seen, and that these calls wait for every hook, as far as there is room.</summary>
    public void Add(SeenHost seen, IReadOnlyList<HookCall> calls)
    {
        lock (_gate)
        {
            Keep(new HookRecord(seen, _record.Waiting.ToDictionary(waiting => waiting.Key, waiting => (IReadOnlyList<HookCall>)[.. waiting.Value.Concat(calls).Take(MaxWaiting)], StringComparer.Ordinal)));
        }
    }

    /// <summary>A hook has taken a call, or won't take it.</summary>
    public void Remove(string hook, HookCall call)
    {
        lock (_gate)
        {
            Keep(_record with { Waiting = new Dictionary<string, IReadOnlyList<HookCall>>(_record.Waiting) { [hook] = [.. _record.Waiting[hook].Where(waiting => waiting.Delivery != call.Delivery)] } });
        }
    }

    // A disk that takes nothing keeps nobody from being told.
    private void Keep(HookRecord record)
    {
        _record = record;
        try
        {
            DurableFile.WriteAtomically(_path, JsonSerializer.SerializeToUtf8Bytes(record, HookJson.Default.HookRecord), files: _files);
            _isKept = true;
        }
        catch (DurableWriteException e)
        {
            if (_isKept)
            {
                LogNotKept(e.Message);
            }

            _isKept = false;
        }
    }

    private HookRecord Read()
    {
        try
        {
            // Nobody writes a part of it; somebody may have edited it.
            return _files.Read(_path, MaxBytes) is { } bytes && JsonSerializer.Deserialize(bytes, HookJson.Default.HookRecord) is { Waiting: not null, Seen: null or { Deployments: not null } } record
                ? record
                : HookRecord.Empty;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            LogNotRead(_path, e.Message);
            return HookRecord.Empty;
        }
    }

    [LoggerMessage(373, LogLevel.Warning, "Could not keep what hooks are still to be told; it is lost if the Controller ends now. {Reason}")]
    private partial void LogNotKept(string reason);

    [LoggerMessage(374, LogLevel.Warning, "Could not read {Path}; what hooks were still to be told is lost. {Reason}")]
    private partial void LogNotRead(string path, string reason);
}

/// <summary>Content of the file.</summary>
/// <param name="Seen">What was seen last; absent: nothing was yet.</param>
/// <param name="Waiting">The calls that wait, by the key of the hook.</param>
internal sealed record HookRecord(SeenHost? Seen, IReadOnlyDictionary<string, IReadOnlyList<HookCall>> Waiting)
{
    public static HookRecord Empty { get; } = new(null, new Dictionary<string, IReadOnlyList<HookCall>>());
}

/// <summary>JSON of the file, source generated. Members that a newer version wrote are passed over.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(HookRecord))]
internal sealed partial class HookJson : JsonSerializerContext;
