using System.Text;
using global::Docker.DotNet;

namespace Wunderproxy.Controller.Docker;

/// <summary>Cuts a container's output into lines, stdout and stderr each on its own, and keeps the last ones.</summary>
internal sealed class LogTail(int lines)
{
    private const int LongestLine = 4096;

    private readonly Queue<string> _kept = new();
    private readonly Dictionary<MultiplexedStream.TargetStream, MemoryStream> _open = [];

    public async Task<IReadOnlyList<string>> ReadAsync(MultiplexedStream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (await output.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken) is { EOF: false } part)
        {
            Add(part.Target, buffer.AsSpan(0, part.Count));
        }

        foreach (var line in _open.Values.Where(line => line.Length > 0))
        {
            Keep(line);
        }

        return [.. _kept];
    }

    private void Add(MultiplexedStream.TargetStream stream, ReadOnlySpan<byte> bytes)
    {
        if (!_open.TryGetValue(stream, out var line))
        {
            _open[stream] = line = new MemoryStream();
        }

        for (var end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
        {
            Append(line, bytes[..end]);
            Keep(line);
            bytes = bytes[(end + 1)..];
        }

        Append(line, bytes);
    }

    private static void Append(MemoryStream line, ReadOnlySpan<byte> bytes) =>
        line.Write(bytes[..Math.Min(bytes.Length, LongestLine - (int)line.Length)]);

    private void Keep(MemoryStream line)
    {
        // A terminal ends its lines with \r\n.
        _kept.Enqueue(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r'));
        line.SetLength(0);
        if (_kept.Count > lines)
        {
            _kept.Dequeue();
        }
    }
}
