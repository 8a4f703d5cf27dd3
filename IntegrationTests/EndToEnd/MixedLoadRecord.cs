using System.Globalization;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>What the visitors of a <see cref="MixedLoad"/> were answered, by which version, and what was not as it should be.</summary>
/// <remarks>Versions are <c>v0</c>, <c>v1</c> and so on, deployed in that order.</remarks>
internal sealed class MixedLoadRecord
{
    private const int FailuresKept = 20;

    private static readonly string[] Exchanges = ["page", "body", "slow", "long", "WebSocket opened", "events opened"];

    private readonly Lock _gate = new();
    private readonly List<string> _failures = [];
    private readonly SortedDictionary<int, long> _firstSeen = [];
    private readonly Dictionary<string, int> _answers = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> _excused = new(StringComparer.Ordinal);
    private readonly Dictionary<int, long> _withdrawn = [];
    private readonly Dictionary<int, long> _began = [];
    private readonly Dictionary<string, int> _heard = new(StringComparer.Ordinal);
    private string? _excuse;
    private int _failed;

    /// <summary>The newest version that has answered anybody: no request that begins from now on may be answered by an older one.</summary>
    public int Newest { get; private set; } = -1;

    /// <summary>How many exchanges of each kind ended well.</summary>
    public IReadOnlyDictionary<string, int> Answers
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, int>(_answers);
        }
    }

    /// <summary>How many exchanges failed.</summary>
    public int Failed
    {
        get
        {
            lock (_gate)
                return _failed;
        }
    }

    /// <summary>How many exchanges ended, well or not; a stream counts once.</summary>
    public int Ended
    {
        get
        {
            lock (_gate)
                return Exchanges.Sum(kind => _answers.GetValueOrDefault(kind)) + _failed + _excused.Values.Sum();
        }
    }

    /// <summary>How many exchanges failed for each reason that <see cref="Excuse"/> gave.</summary>
    public IReadOnlyDictionary<string, int> Excused
    {
        get
        {
            lock (_gate)
                return new Dictionary<string, int>(_excused);
        }
    }

    /// <summary>The first failures in words; empty where every exchange went well.</summary>
    public string Failures
    {
        get
        {
            lock (_gate)
                return _failed == 0 ? "" : $"{_failed} failures:\n{string.Join('\n', _failures)}";
        }
    }

    public IReadOnlyCollection<int> VersionsSeen
    {
        get
        {
            lock (_gate)
                return [.. _firstSeen.Keys];
        }
    }

    public void Count(string kind)
    {
        lock (_gate)
            _answers[kind] = _answers.GetValueOrDefault(kind) + 1;
    }

    /// <summary>A stream has said something.</summary>
    public void Hear(string kind)
    {
        lock (_gate)
            _heard[kind] = _heard.GetValueOrDefault(kind) + 1;
    }

    /// <summary>How often the streams of a kind have said something.</summary>
    public int Heard(string kind)
    {
        lock (_gate)
            return _heard.GetValueOrDefault(kind);
    }

    public void Fail(string failure)
    {
        lock (_gate)
        {
            if (_excuse is { } excuse)
                _excused[excuse] = _excused.GetValueOrDefault(excuse) + 1;
            else if (_failed++ < FailuresKept)
                _failures.Add($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {failure}");
        }
    }

    /// <summary>Counts what fails from now on apart, for something was done that may make exchanges fail; null: nothing may fail any more.</summary>
    public void Excuse(string? reason)
    {
        lock (_gate)
        {
            _excuse = reason;
            if (reason is not null)
                _excused.TryAdd(reason, 0);
        }
    }

    /// <summary>A version that has answered is to serve no more, and an older one is to instead.</summary>
    public void Withdraw(string version)
    {
        lock (_gate)
        {
            _withdrawn.TryAdd(NumberOf(version), TimeProvider.System.GetTimestamp());
            _began.TryAdd(NumberOf(version), TimeProvider.System.GetTimestamp());
            _firstSeen.Remove(NumberOf(version));
            Newest = _firstSeen.Keys.LastOrDefault(-1);
        }
    }

    /// <summary>A version serves, as an answer or the Controller says.</summary>
    /// <param name="who">Who says so.</param>
    /// <param name="version">Such as <c>v3</c>.</param>
    /// <param name="newestBefore"><see cref="Newest"/> when the request began.</param>
    public void Saw(string who, string version, int newestBefore)
    {
        var number = NumberOf(version);
        lock (_gate)
        {
            if (!_withdrawn.ContainsKey(number))
            {
                _began.TryAdd(number, TimeProvider.System.GetTimestamp());
                _firstSeen.TryAdd(number, _began[number]);
                Newest = Math.Max(Newest, number);
            }

            if (_withdrawn.ContainsKey(newestBefore))
                return;
        }

        if (number < newestBefore)
            Fail($"{who} was answered by {version} though it began after v{newestBefore} had answered");
    }

    /// <summary>For how long it is known that a version was replaced; zero: it serves, as far as anybody knows.</summary>
    public TimeSpan ReplacedFor(string version)
    {
        lock (_gate)
            return ReplacedBy(version, _firstSeen);
    }

    /// <summary>The same, where a version that was withdrawn counts, too: what it cut was cut for good.</summary>
    /// <param name="version">Such as <c>v3</c>.</param>
    /// <param name="since">Timestamp of an exchange's beginning: what came before it cut nothing of it.</param>
    public TimeSpan OnceReplacedFor(string version, long since)
    {
        lock (_gate)
            return ReplacedBy(version, _began.Where(seen => seen.Value >= since));
    }

    private TimeSpan ReplacedBy(string version, IEnumerable<KeyValuePair<int, long>> versions)
    {
        var number = NumberOf(version);
        var newer = _withdrawn.TryGetValue(number, out var withdrawn) ? withdrawn : versions.Where(seen => seen.Key > number).Select(seen => (long?)seen.Value).Min();
        return newer is { } replaced ? TimeProvider.System.GetElapsedTime(replaced) : TimeSpan.Zero;
    }

    private static int NumberOf(string version) =>
        version.StartsWith('v') && int.TryParse(version.AsSpan(1), CultureInfo.InvariantCulture, out var number) ? number : -1;
}
