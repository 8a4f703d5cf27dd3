using global::Docker.DotNet.Models;

namespace Wunderproxy.Controller.Docker;

/// <summary>Follows the messages of a pull: sums the bytes of all layers, keeps the error, and ends the wait once nothing moves.</summary>
/// <remarks>Of the messages <c>{"status":"Downloading","id":"4f4fb7","progressDetail":{"current":532,"total":2104}}</c>. "Retrying in 5 seconds" is a message, but no progress.</remarks>
internal sealed class PullMonitor : IProgress<JSONMessage>, IDisposable
{
    private readonly IProgress<PullProgress>? _progress;
    private readonly EngineDeadlines _deadlines;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly CancellationTokenSource _stalled;
    private readonly HashSet<(string Layer, string Status)> _steps = [];
    private readonly Dictionary<string, (long Bytes, long Total)> _downloads = [];
    private readonly Dictionary<string, long> _extractions = [];

    public PullMonitor(IProgress<PullProgress>? progress, EngineDeadlines deadlines, TimeProvider time)
    {
        (_progress, _deadlines, _time) = (progress, deadlines, time);
        _start = time.GetTimestamp();
        _stalled = new CancellationTokenSource(deadlines.PullSilence, time);
    }

    /// <summary>Ends once nothing moved for too long, or the whole took too long.</summary>
    public CancellationToken Stalled => _stalled.Token;

    /// <summary>The error inside the stream, if there was one.</summary>
    public string? Error { get; private set; }

    /// <summary>The latest word of the engine.</summary>
    public string LastStatus { get; private set; } = "nothing yet";

    public void Report(JSONMessage value)
    {
        Error ??= value.Error?.Message;
        if (value.Status is not { Length: > 0 } status)
        {
            return;
        }

        LastStatus = status;
        if (Moved(value.ID ?? "", status, value.Progress))
        {
            var left = _deadlines.Pull - _time.GetElapsedTime(_start);
            _stalled.CancelAfter(left < TimeSpan.Zero ? TimeSpan.Zero : left < _deadlines.PullSilence ? left : _deadlines.PullSilence);
            _progress?.Report(new PullProgress(status, _downloads.Values.Sum(d => d.Bytes), _downloads.Values.Sum(d => d.Total)));
        }
    }

    public void Dispose() => _stalled.Dispose();

    private bool Moved(string layer, string status, JSONProgress? detail)
    {
        var current = detail?.Current ?? 0;
        if (status == "Downloading")
        {
            var (bytes, total) = _downloads.GetValueOrDefault(layer);
            _downloads[layer] = (Math.Max(bytes, current), Math.Max(total, detail?.Total ?? 0));
            return current > bytes;
        }

        if (status.StartsWith("Extracting", StringComparison.Ordinal))
        {
            var before = _extractions.GetValueOrDefault(layer, -1);
            _extractions[layer] = Math.Max(before, current);
            return current > before;
        }

        return !status.StartsWith("Retrying", StringComparison.Ordinal) && _steps.Add((layer, status));
    }
}
