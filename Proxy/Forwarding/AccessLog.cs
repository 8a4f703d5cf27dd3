using System.Globalization;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>One line for each request. Whoever reads the lines too slowly loses some; requests never wait for it.</summary>
internal sealed class AccessLog : IAsyncDisposable
{
    private const int Capacity = 8192;

    private readonly TextWriter _output;
    private readonly TimeProvider _time;
    private readonly Channel<string> _lines;
    private readonly Task _writing;
    private long _lost;

    /// <param name="output">Where the lines go.</param>
    /// <param name="time">Clock of the lines.</param>
    public AccessLog(TextWriter output, TimeProvider time)
    {
        _output = output;
        _time = time;
        _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _writing = WriteLinesAsync();
    }

    /// <summary>Writes the line of a request that has ended. The query is left out: it often holds secrets.</summary>
    public void Write(HttpContext context, int status, long bytes, TimeSpan duration, Target? target)
    {
        var peer = context.Features.Get<Peer>()?.Address is { Length: > 0 } address ? address : "-";
        var path = RequestChecks.RawTargetOf(context).Split('?')[0];
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{_time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {peer} \"{context.Request.Method} {Printable(path)}\" {status} {bytes} {duration.TotalMilliseconds:F1}ms {target?.Revision ?? "-"}");
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing.WaitAsync(TimeSpan.FromSeconds(1), _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static string Printable(string path) =>
        string.Concat(path.Select(c => c is > ' ' and <= '~' and not '"' and not '\\' ? c : '?'));

    private async Task WriteLinesAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            await _output.WriteLineAsync(line);
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
            {
                await _output.WriteLineAsync($"{lost} lines were lost: the reader of this log is too slow");
            }
        }
    }
}
