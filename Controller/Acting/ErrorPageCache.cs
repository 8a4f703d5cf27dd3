using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Acting;

/// <summary>The error pages that the application itself offers: fetched before traffic moves to a release, and kept on the disk, for they are needed when the application is down.</summary>
/// <param name="path">Where they are kept: those of one release.</param>
/// <param name="client">Fetches them.</param>
/// <param name="files">The file system.</param>
/// <param name="time">Clock of how long they may hold up a switch.</param>
/// <param name="logger">The log.</param>
internal sealed partial class ErrorPageCache(string path, PageClient client, IFileSystem files, TimeProvider time, ILogger<ErrorPageCache> logger)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    // Quotes and line ends are escaped in it, little else.
    private const int MaxFileBytes = 4 * ErrorPages.MaxBytes;

    private FetchedPages _fetched = Kept(files, path);

    /// <summary>Puts pages in the place of the paths in a snapshot. A page that can't be fetched is left out: the Proxy shows its own.</summary>
    /// <param name="snapshot">The snapshot as the plan made it.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    public async Task<ApplicationSnapshot> CompleteAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken)
    {
        var paths = snapshot.ErrorPages.Pages.Values.Where(ErrorPages.IsPath).Distinct(StringComparer.Ordinal).ToList();
        if (paths.Count == 0 || snapshot.Target is not { } target)
            return snapshot;
        await FetchAsync(target, paths, cancellationToken);
        return snapshot with { ErrorPages = snapshot.ErrorPages with { Pages = Chosen(snapshot.ErrorPages.Pages) } };
    }

    // A release is what it is: what was fetched from it once needn't be fetched again.
    private async Task FetchAsync(Target target, List<string> paths, CancellationToken cancellationToken)
    {
        var bodies = _fetched.Release == target.Release ? new Dictionary<string, string>(_fetched.Bodies, StringComparer.Ordinal) : new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = paths.Where(page => !bodies.ContainsKey(page)).ToList();
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var page in missing)
        {
            if (await TryFetchAsync(target, page, either.Token, cancellationToken) is { } body && bodies.Values.Sum(Encoding.UTF8.GetByteCount) + Encoding.UTF8.GetByteCount(body) <= ErrorPages.MaxBytes)
                bodies[page] = body;
        }

        _fetched = new FetchedPages { Release = target.Release, Bodies = bodies };
        if (missing.Count > 0)
            Keep();
    }

    private async Task<string?> TryFetchAsync(Target target, string page, CancellationToken limit, CancellationToken cancellationToken)
    {
        try
        {
            return await client.FetchAsync(target.Address, target.Protocol, page, limit);
        }
        catch (Exception exception) when (PageClient.IsFailure(exception, cancellationToken))
        {
            LogNotFetched(page, exception.Message);
            return null;
        }
    }

    private Dictionary<string, string> Chosen(IReadOnlyDictionary<string, string> pages)
    {
        var chosen = new Dictionary<string, string>(StringComparer.Ordinal);
        var bytes = 0;
        foreach (var (key, page) in pages.OrderBy(page => page.Key, StringComparer.Ordinal))
        {
            var body = ErrorPages.IsPath(page) ? _fetched.Bodies.GetValueOrDefault(page) : page;
            var size = Encoding.UTF8.GetByteCount(body ?? "");
            if (body is not null && size <= ErrorPages.MaxPageBytes && bytes + size <= ErrorPages.MaxBytes)
            {
                chosen[key] = body;
                bytes += size;
            }
            else
            {
                LogLeftOut(key);
            }
        }

        return chosen;
    }

    // They are fetched again where they can't be kept.
    private void Keep()
    {
        try
        {
            DurableFile.WriteAtomically(path, JsonSerializer.SerializeToUtf8Bytes(_fetched, FetchedPagesJson.Compact.FetchedPages), files: files);
        }
        catch (IOException exception)
        {
            LogNotKept(exception.Message);
        }
    }

    private static FetchedPages Kept(IFileSystem files, string path)
    {
        try
        {
            return files.Read(path, MaxFileBytes) is { } json && JsonSerializer.Deserialize(json, FetchedPagesJson.Compact.FetchedPages) is { } kept ? kept : new FetchedPages();
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            return new FetchedPages();
        }
    }

    [LoggerMessage(341, LogLevel.Warning, "Could not fetch the error page {Path}. {Reason}")]
    private partial void LogNotFetched(string path, string reason);

    [LoggerMessage(342, LogLevel.Warning, "Left the error page for {Status} out, for it wasn't fetched, is larger than 256 KiB, or all are larger than 1 MiB together; the Proxy's own is shown")]
    private partial void LogLeftOut(string status);

    [LoggerMessage(343, LogLevel.Warning, "Could not keep the error pages on the disk; they are fetched again after a restart. {Reason}")]
    private partial void LogNotKept(string reason);
}

/// <summary>Pages that were fetched from a release.</summary>
internal sealed record FetchedPages
{
    /// <summary>Hash of its launch configuration.</summary>
    public string Release { get; init => field = value ?? ""; } = "";

    /// <summary>The pages by their paths.</summary>
    public IReadOnlyDictionary<string, string> Bodies { get; init => field = value ?? new Dictionary<string, string>(); } = new Dictionary<string, string>();
}

/// <summary>JSON of the kept pages, source generated.</summary>
[JsonSerializable(typeof(FetchedPages))]
internal sealed partial class FetchedPagesJson : JsonSerializerContext
{
    /// <summary>Leaves pages as they are, instead of six characters for each of their angle brackets: no browser reads the file.</summary>
    public static FetchedPagesJson Compact { get; } = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
