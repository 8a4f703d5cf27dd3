using System.Collections.Concurrent;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>
/// Visitors of every kind at once, each on a connection of its own that it keeps: pages, bodies that come back, slow answers, long answers, a WebSocket
/// and server-sent events. A few hundred exchanges a second at most, so that the load is never what is tested.
/// </summary>
internal sealed class MixedLoad : IAsyncDisposable
{
    private const int LargestBody = 256 * 1024;

    private static readonly TimeSpan DefaultPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan DefaultSlack = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _end = new();
    private readonly Uri _address;
    private readonly TimeSpan _pause;
    private readonly Random _random;
    private readonly List<Task> _visitors;
    private readonly ConcurrentDictionary<int, int> _visits = [];
    private int _connections;

    private MixedLoad(Uri address, TimeSpan streamLimit, int seed, TimeSpan pause, TimeSpan slack)
    {
        _address = address;
        _pause = pause;
        _random = new Random(seed);
        var streams = new MixedLoadStreams(address, streamLimit, slack, Record);
        (string Kind, Func<HttpClient, Task<string>> Visit)[] kinds =
        [
            ("page", GetPageAsync), ("page", GetPageAsync), ("page", GetPageAsync), ("body", PostBodyAsync), ("body", PostBodyAsync),
            ("slow", GetSlowAsync), ("slow", GetSlowAsync), ("long", GetLongAsync), ("long", GetLongAsync),
        ];
        _visitors = [.. kinds.Select((visitor, number) => VisitAsync(number, visitor.Kind, visitor.Visit))];
        KeptConnections = kinds.Length;
        _visitors.Add(streams.TalkAsync(_end.Token));
        _visitors.Add(streams.ListenAsync(_end.Token));
    }

    public MixedLoadRecord Record { get; } = new();

    /// <summary>Connections that plain visitors have opened so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>As many as plain visitors need, if none is ever closed under them.</summary>
    public int KeptConnections { get; }

    /// <param name="address">Where the visitors ask.</param>
    /// <param name="streamLimit">How long a stream lives at least, and not much longer, once its release is replaced.</param>
    /// <param name="seed">Of the bodies' sizes.</param>
    /// <param name="pause">Of each visitor between two exchanges; 20 ms if absent.</param>
    /// <param name="slack">How much less a stream may live, because nobody noticed the switch at once; 1 s if absent.</param>
    public static MixedLoad Start(Uri address, TimeSpan streamLimit, int seed = 1, TimeSpan? pause = null, TimeSpan? slack = null) =>
        new(address, streamLimit, seed, pause ?? DefaultPause, slack ?? DefaultSlack);

    /// <summary>Waits until every visitor has begun and ended an exchange since, and both streams have said something: what failed before is counted then.</summary>
    public async Task RoundAsync()
    {
        // One exchange may have begun before.
        var visits = Enumerable.Range(0, KeptConnections).Select(number => _visits.GetValueOrDefault(number) + 2).ToList();
        var heard = MixedLoadStreams.Kinds.ToDictionary(kind => kind, kind => Record.Heard(kind) + 2);
        await Eventually.HoldsAsync(
            "every visitor has asked once more",
            () => visits.Index().All(v => _visits.GetValueOrDefault(v.Index) >= v.Item) && heard.All(h => Record.Heard(h.Key) >= h.Value));
    }

    /// <summary>Lets every visitor end what it is doing.</summary>
    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_visitors);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _end.Dispose();
    }

    private async Task VisitAsync(int number, string kind, Func<HttpClient, Task<string>> visit)
    {
        using var client = NewClient();
        while (!_end.IsCancellationRequested)
        {
            var newest = Record.Newest;
            try
            {
                Record.Saw(kind, await visit(client), newest);
                Record.Count(kind);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                Record.Fail($"{kind}: {exception.Message} {exception.InnerException?.Message}");
            }

            _visits.AddOrUpdate(number, 1, (_, visits) => visits + 1);
            await Task.Delay(_pause, TimeProvider.System, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private HttpClient NewClient()
    {
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = 1, UseProxy = false };
        handler.PlaintextStreamFilter = (context, _) =>
        {
            Interlocked.Increment(ref _connections);
            return ValueTask.FromResult(context.PlaintextStream);
        };
        return new HttpClient(handler) { BaseAddress = _address, Timeout = AnswerDeadline };
    }

    private async Task<string> GetPageAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(new Uri("", UriKind.Relative));
        return Greeted(await WholeAsync(answer), answer);
    }

    private async Task<string> GetSlowAsync(HttpClient client)
    {
        using var answer = await client.GetAsync(new Uri("slow?ms=700", UriKind.Relative));
        return Greeted(await WholeAsync(answer), answer);
    }

    private async Task<string> PostBodyAsync(HttpClient client)
    {
        var sent = NewBody();
        using var content = new ByteArrayContent(sent);
        using var answer = await client.PostAsync(new Uri("echo", UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
        var received = await answer.Content.ReadAsByteArrayAsync();
        if (!received.SequenceEqual(sent))
            Record.Fail($"body: {sent.Length} bytes did not come back as they were sent");
        return VersionOf(answer);
    }

    private byte[] NewBody()
    {
        // Two visitors share the source, which is not made for that.
        lock (_random)
        {
            var body = new byte[_random.Next(1, LargestBody)];
            _random.NextBytes(body);
            return body;
        }
    }

    // Every line names the release that wrote it, so the answer shows whether it ended where it began.
    private async Task<string> GetLongAsync(HttpClient client)
    {
        const int lines = 10;
        using var answer = await client.GetAsync(new Uri($"drip?n={lines}&ms=100", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        var version = VersionOf(answer);
        var began = Record.ReplacedFor(version);
        var expected = string.Concat(Enumerable.Range(0, lines).Select(line => $"{version} {line}\n"));
        var text = await WholeAsync(answer);
        if (text != expected)
            Record.Fail($"long: began on {version} and was answered:\n{text}");
        else if (began == TimeSpan.Zero && Record.ReplacedFor(version) > TimeSpan.Zero)
            Record.Count("long answers that ended on a replaced release");
        return version;
    }

    private string Greeted(string text, HttpResponseMessage answer)
    {
        var version = VersionOf(answer);
        if (text != $"hello from {version}")
            Record.Fail($"{version} greeted with '{text}'");
        return version;
    }

    private static async Task<string> WholeAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? text : throw new HttpRequestException($"{(int)answer.StatusCode}: {text}");
    }

    private static string VersionOf(HttpResponseMessage answer) =>
        answer.Headers.TryGetValues("X-Version", out var versions) ? versions.First() : throw new HttpRequestException($"{(int)answer.StatusCode} without a version");
}
