using System.Globalization;
using System.Net;
using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Examining;

/// <summary>Looks at everything that a Controller needs of its host. It changes nothing but one document of its own in the store, which it removes again.</summary>
/// <param name="time">The clock.</param>
internal sealed class Examination(TimeProvider time)
{
    private const long Gibibyte = 1L << 30;
    private const long LeastFree = 5 * Gibibyte;
    private const double LeastShare = 0.1;

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(5);

    // Beyond it S3 refuses every request.
    private static readonly TimeSpan S3Skew = TimeSpan.FromMinutes(15);

    /// <summary>The engine: whether it answers, which one it is, and whether containers survive its restart.</summary>
    public static async Task<IReadOnlyList<Finding>> EngineAsync(Func<CancellationToken, Task<EngineInfo>> look, CancellationToken cancellationToken)
    {
        try
        {
            var info = await look(cancellationToken);
            return
            [
                new Finding("engine", Verdict.Well, $"Docker Engine {info.Version} answers, API {info.ApiVersion}."),
                info.LiveRestore
                    ? new Finding("live-restore", Verdict.Well, "Containers survive a restart of the engine.")
                    : new Finding("live-restore", Verdict.Doubtful, "A restart of the engine stops every container.", "Set \"live-restore\": true in /etc/docker/daemon.json and reload the engine: systemctl reload docker."),
            ];
        }
        catch (EngineException e)
        {
            return [new Finding("engine", Verdict.Wrong, e.Message, "Start it (systemctl start docker), name its socket by --docker, and let this user speak to it (group docker).")];
        }
    }

    /// <summary>Free space where images or state are kept.</summary>
    public static Finding Disk(string folder, long freeBytes, long totalBytes)
    {
        var share = totalBytes == 0 ? 0 : (double)freeBytes / totalBytes;
        var seen = string.Create(CultureInfo.InvariantCulture, $"{folder}: {(double)freeBytes / Gibibyte:0.0} GiB free, {share:0 %}.");
        return freeBytes < LeastFree || share < LeastShare
            ? new Finding("disk", Verdict.Doubtful, seen, "Make room: docker system df shows what takes it. A full disk lets no release be pulled and no order be taken.")
            : new Finding("disk", Verdict.Well, seen);
    }

    /// <summary>The registry on this host.</summary>
    public async Task<Finding> RegistryAsync(int port, CancellationToken cancellationToken)
    {
        var url = new Uri($"http://localhost:{port}/v2/");
        try
        {
            using var answer = await GetAsync(url, cancellationToken);
            return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Unauthorized
                ? new Finding("registry", Verdict.Well, $"A registry answers at {url}.")
                : new Finding("registry", Verdict.Doubtful, $"{url} answers {(int)answer.StatusCode}; is it a registry?", "Name its port by --registry-port.");
        }
        catch (HttpRequestException e)
        {
            return new Finding("registry", Verdict.Doubtful, $"No registry at {url}: {e.Message}", "It is needed for configurations that name no image, or one at localhost. Start it, or name its port by --registry-port.");
        }
    }

    /// <summary>The store: whether documents can be read, written on condition, and removed.</summary>
    public static async Task<IReadOnlyList<Finding>> StoreAsync(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        try
        {
            var current = await store.GetAsync($"{prefix}/current.json", null, History.MaxBytes, cancellationToken);
            var read = new Finding("store", Verdict.Well, $"{store.Description} can be read; {prefix}/current.json is {(current.Status == StoreReadStatus.Found ? "there" : "not there yet")}.");
            return [read, await ConditionsAsync(store, prefix, cancellationToken)];
        }
        catch (StoreException e)
        {
            return [new Finding("store", Verdict.Wrong, e.Message, "Check bucket, credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a profile, the instance) and --s3-endpoint.")];
        }
    }

    /// <summary>The clock, against that of somebody else.</summary>
    /// <param name="ours">This host's time.</param>
    /// <param name="theirs">Theirs, in whole seconds.</param>
    /// <param name="whose">Who they are.</param>
    public static Finding Clock(DateTimeOffset ours, DateTimeOffset theirs, string whose)
    {
        var by = (ours - theirs).Duration();
        var seen = string.Create(CultureInfo.InvariantCulture, $"It differs by {by.TotalSeconds:0} s from that of {whose}.");
        const string Fix = "Keep it right by NTP: timedatectl set-ntp true.";
        return by > S3Skew ? new Finding("clock", Verdict.Wrong, seen, $"{Fix} S3 refuses requests from a clock so far off.")
            : by > MostSkew ? new Finding("clock", Verdict.Doubtful, seen, Fix)
            : new Finding("clock", Verdict.Well, seen);
    }

    /// <summary>The clock against that of an HTTP server; <see langword="null"/> where it can't be asked.</summary>
    public async Task<Finding?> ClockAsync(Uri server, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await GetAsync(server, cancellationToken);
            return answer.Headers.Date is { } theirs ? Clock(time.GetUtcNow(), theirs, server.Authority) : null;
        }
        catch (HttpRequestException)
        {
            // That it isn't reached is found by others.
            return null;
        }
    }

    /// <summary>What the Controller itself finds wrong.</summary>
    public static IReadOnlyList<Finding> Conditions(StatusDocument status, string host) =>
    [
        new Finding("controller", Verdict.Well, $"The Controller of {status.Application} answers at {host}, version {status.Version}."),
        status.Proxy is null && status.Conditions.FirstOrDefault(condition => condition.Type == "ProxyReachable") is { Status: false } lost
            ? new Finding("proxy", Verdict.Wrong, lost.Message, "Look at its log; systemctl start wunderproxy-proxy starts it.")
            : new Finding("proxy", Verdict.Well, "The Proxy answers the Controller."),
        .. status.Conditions.Where(condition => condition is { Status: false, Type: not ("RollbackAvailable" or "LiveRestore" or "ProxyReachable") })
            .Select(condition => new Finding(condition.Type, condition is { Reason: "Progressing" } or { Type: "InService" } ? Verdict.Doubtful : Verdict.Wrong, condition.Message)),
    ];

    // If conditions were ignored, two deployments at once would overwrite each other unseen.
    private static async Task<Finding> ConditionsAsync(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var key = $"{prefix}/doctor-{Guid.NewGuid():N}.json";
        var content = Encoding.UTF8.GetBytes("{}\n");
        try
        {
            var etag = await store.PutAsync(key, content, PutCondition.Absent, cancellationToken);
            var isTwiceTaken = await store.PutAsync(key, Encoding.UTF8.GetBytes("[]\n"), PutCondition.Absent, cancellationToken) is not null;
            var isWrongTaken = await store.PutAsync(key, Encoding.UTF8.GetBytes("[1]\n"), PutCondition.Matches("0123456789abcdef0123456789abcdef"), cancellationToken) is not null;
            var isRightTaken = etag is not null && await store.PutAsync(key, Encoding.UTF8.GetBytes("[2]\n"), PutCondition.Matches(etag), cancellationToken) is not null;
            return isRightTaken && !isTwiceTaken && !isWrongTaken
                ? new Finding("conditional writes", Verdict.Well, "The store holds writes to their conditions.")
                : new Finding("conditional writes", Verdict.Wrong, "The store doesn't hold writes to their conditions (If-Match, If-None-Match).", "Two deployments at once could overwrite each other unseen. Use a store that does; some do so only in buckets without versions.");
        }
        catch (StoreException e)
        {
            return new Finding("conditional writes", Verdict.Wrong, e.Message, "A host only reads; whoever deploys needs the right to put and delete objects.");
        }
        finally
        {
            await RemoveAsync(store, key);
        }
    }

    private static async Task RemoveAsync(IObjectStore store, string key)
    {
        try
        {
            await store.DeleteAsync(key, CancellationToken.None);
        }
        catch (StoreException)
        {
            // Why nothing can be written was found already.
        }
    }

    private async Task<HttpResponseMessage> GetAsync(Uri url, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var deadline = new CancellationTokenSource(CallLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, either.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {Duration.Format(CallLimit)}", e);
        }
    }
}
