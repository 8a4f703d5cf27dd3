using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Stats;

/// <summary>How the traffic went lately in the run before this one, as far as that was ended in order: kept on the disk, for the Controller may not have asked for the last of it.</summary>
/// <remarks>It isn't synced, and a file that can't be written or read is no error: a power cut loses it anyway, and nothing but a few seconds of statistics with it.</remarks>
/// <param name="path">The file.</param>
internal sealed class FormerTraffic(string path)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const long LargestBytes = 16 << 20;

    private readonly Dictionary<string, RecentTraffic> _applications = Load(path);

    /// <summary>That of an application.</summary>
    /// <param name="application">The application.</param>
    /// <param name="since">Unix time in seconds, from which it is wanted.</param>
    /// <returns><see langword="null"/> if there was none since then.</returns>
    public RecentTraffic? Of(string application, long since)
    {
        if (!_applications.TryGetValue(application, out var recent))
        {
            return null;
        }

        var from = DateTimeOffset.FromUnixTimeSeconds(since);
        var releases = recent.Releases
            .Select(release => release with { Seconds = [.. release.Seconds.Where(point => point.At >= from)], TenSeconds = [.. release.TenSeconds.Where(point => point.At >= from)] })
            .Where(release => release.Seconds.Count + release.TenSeconds.Count > 0).ToList();
        return releases.Count == 0 ? null : recent with { Releases = releases };
    }

    /// <summary>Keeps that of this run, for the next one.</summary>
    public void Save(IReadOnlyDictionary<string, RecentTraffic> applications)
    {
        try
        {
            using (var file = new FileStream(path + ".new", new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                JsonSerializer.Serialize(file, applications, FormerTrafficJson.Default.IReadOnlyDictionaryStringRecentTraffic);
            }

            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The Controller has it but for the last seconds.
        }
    }

    private static Dictionary<string, RecentTraffic> Load(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.Length <= LargestBytes ? JsonSerializer.Deserialize(file, FormerTrafficJson.Default.DictionaryStringRecentTraffic) ?? [] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}

/// <summary>JSON of the file, source generated.</summary>
[JsonSerializable(typeof(IReadOnlyDictionary<string, RecentTraffic>))]
[JsonSerializable(typeof(Dictionary<string, RecentTraffic>))]
internal sealed partial class FormerTrafficJson : JsonSerializerContext;
