using System.Net.WebSockets;
using System.Text;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>The visitors of a <see cref="MixedLoad"/> that stay connected: a stream goes on while its release serves and for its limit after that, then it is cut, and opens again at once. A WebSocket is told to close at some moment before.</summary>
/// <param name="address">Where they ask.</param>
/// <param name="limit">How long a stream lives once its release is replaced.</param>
/// <param name="slack">From the switch until somebody is answered by the new release and notes it, on a busy machine.</param>
/// <param name="record">What they were answered.</param>
internal sealed class MixedLoadStreams(Uri address, TimeSpan limit, TimeSpan slack, MixedLoadRecord record)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan LongestOvertime = TimeSpan.FromSeconds(5);

    /// <summary>Names of the two streams.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["WebSocket", "events"];

    /// <summary>Says something over a WebSocket and awaits its echo, again and again.</summary>
    public async Task TalkAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
            await FollowAsync("WebSocket", TalkOnceAsync, cancellationToken);
    }

    /// <summary>Listens to server-sent events.</summary>
    public async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
            await FollowAsync("events", ListenOnceAsync, cancellationToken);
    }

    private async Task FollowAsync(string kind, Func<Stream, CancellationToken, Task<bool>> follow, CancellationToken cancellationToken)
    {
        var stream = new Stream(kind, record.Newest);
        try
        {
            if (await follow(stream, cancellationToken))
                await JudgeToldAsync(stream, cancellationToken);
            else
                record.Fail($"{kind}: {stream.Version} ended the stream by itself");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The load is over.
        }
        catch (Exception exception) when (exception is WebSocketException or HttpRequestException or IOException or OperationCanceledException)
        {
            Judge(stream, exception);
            await Task.Delay(Pause, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Judge(Stream stream, Exception exception)
    {
        if (stream.Version is not { } version)
            record.Fail($"{stream.Kind} could not be opened: {exception.Message} {exception.InnerException?.Message}");
        else if (record.OnceReplacedFor(version, stream.Began) is var replaced && replaced < limit - slack)
            record.Fail($"{stream.Kind} to {version} was cut {replaced.TotalMilliseconds:0} ms after the switch: {exception.Message}");
        else
            record.Count($"{stream.Kind} cut");
    }

    // Nobody need have noticed the switch yet.
    private async Task JudgeToldAsync(Stream stream, CancellationToken cancellationToken)
    {
        record.Count($"{stream.Kind} told to close");
        var told = TimeProvider.System.GetTimestamp();
        while (stream.Version is { } version && record.OnceReplacedFor(version, stream.Began) == TimeSpan.Zero && !cancellationToken.IsCancellationRequested)
        {
            if (TimeProvider.System.GetElapsedTime(told) > slack)
            {
                record.Fail($"{stream.Kind} to {version} was told to close while it served");
                return;
            }

            await Task.Delay(Pause, TimeProvider.System, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Whether it was told to close.
    private async Task<bool> TalkOnceAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        await socket.ConnectAsync(new UriBuilder(new Uri(address, "ws")) { Scheme = "ws" }.Uri, patience.Token);
        if (await ReceiveAsync(socket, patience.Token) is not { } version)
            return true;
        Heard(stream, version);
        for (var number = 0; ; number++)
        {
            patience.CancelAfter(Patience);
            var said = $"message {number}";
            await socket.SendAsync(Encoding.UTF8.GetBytes(said), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
            if (await ReceiveAsync(socket, patience.Token) is not { } echo)
                return true;
            if (echo != said)
                record.Fail($"WebSocket: '{said}' came back as '{echo}'");
            Heard(stream, stream.Version!);
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    // Absent: it was told to close, as becomes a release that is replaced, and has answered.
    private static async Task<string?> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var message = new byte[256];
        var received = await socket.ReceiveAsync(message, cancellationToken);
        if (received.CloseStatus == WebSocketCloseStatus.EndpointUnavailable)
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
            return null;
        }

        return received.MessageType == WebSocketMessageType.Text
            ? Encoding.UTF8.GetString(message, 0, received.Count)
            : throw new WebSocketException($"The server closed: {received.CloseStatus}");
    }

    private async Task<bool> ListenOnceAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var answer = await client.GetAsync(new Uri("sse?n=1000000&ms=50", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, patience.Token);
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(patience.Token));
        while (await reader.ReadLineAsync(patience.Token) is { } line)
        {
            patience.CancelAfter(Patience);
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                Heard(stream, line["data: ".Length..]);
        }

        return false;
    }

    private void Heard(Stream stream, string version)
    {
        record.Hear(stream.Kind);
        if (stream.Version is null)
        {
            record.Count($"{stream.Kind} opened");
            record.Saw(stream.Kind, version, stream.NewestBefore);
        }
        else if (stream.Version != version)
            record.Fail($"{stream.Kind} began on {stream.Version} and went on on {version}");
        stream.Version = version;
        if (record.ReplacedFor(version) > limit + LongestOvertime)
            record.Fail($"{stream.Kind} to {version} outlived its limit of {limit.TotalSeconds} s");
    }

    private sealed class Stream(string kind, int newestBefore)
    {
        public string Kind => kind;

        public long Began { get; } = TimeProvider.System.GetTimestamp();

        public int NewestBefore => newestBefore;

        public string? Version { get; set; }
    }
}
