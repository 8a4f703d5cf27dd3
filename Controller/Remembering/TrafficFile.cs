using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Remembering;

/// <summary>Keeps the history on the disk, whole, in two slots that are overwritten in turn: a power cut loses what came after the last save, never what was saved.</summary>
/// <remarks>
/// Version, time, sources, switches and points, in numbers of as many bytes as they need. A busy day is a quarter of a MiB. What wouldn't fit into a slot is left out, the oldest first.
/// </remarks>
/// <param name="path">Without the slots' suffixes.</param>
/// <param name="files">The file system.</param>
internal sealed class TrafficFile(string path, IFileSystem files)
{
    private const byte Version = 1;

    // With all numbers as large as can be a point takes less than this, and there is room for sources and switches.
    private const int LargestPointBytes = 90;
    private const int MostPoints = (SlotFile.MaxBytes - (512 << 10)) / LargestPointBytes;
    private const int InitialBytes = 64 << 10;

    private readonly SlotFile _slots = SlotFile.Open(path, files, InitialBytes);

    /// <summary>Reads what was saved.</summary>
    /// <param name="problem">Why nothing was read, where something is there; absent: it was, or there is nothing.</param>
    /// <returns>An empty history where nothing was.</returns>
    public TrafficHistory Load(out string? problem)
    {
        problem = _slots.Found is { Newest: null, Damages: [var damage, ..] } ? $"{damage.Path}: {damage.Reason}" : null;
        if (_slots.Found.Newest is not { } slot)
        {
            return new TrafficHistory();
        }

        try
        {
            return Read(slot.Payload.ToArray());
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            problem = $"{path}: {e.Message}";
            return new TrafficHistory();
        }
    }

    /// <summary>Saves the history; it is on the disk when this returns.</summary>
    /// <exception cref="DurableWriteException">It isn't; what was saved before still counts.</exception>
    public void Save(TrafficHistory history) => _slots.Save(Write(history));

    private static byte[] Write(TrafficHistory history)
    {
        var seconds = history.Seconds.Points;
        var tenSeconds = history.TenSecondSteps.Points;
        tenSeconds = [.. tenSeconds.Skip(Math.Max(0, tenSeconds.Count + seconds.Count - MostPoints))];
        var sources = seconds.Concat(tenSeconds).Select(point => point.Source).Distinct().Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Version);
        writer.Write7BitEncodedInt64(history.Until?.ToUnixTimeMilliseconds() ?? 0);
        WriteList(writer, sources.Keys, source =>
        {
            writer.Write(source.Hash ?? "");
            writer.Write(source.Revision);
            writer.Write7BitEncodedInt64(source.Run);
        });
        WriteList(writer, history.Switches, moved =>
        {
            writer.Write7BitEncodedInt64(moved.At.UtcTicks);
            writer.Write(moved.Hash);
            writer.Write(moved.Revision);
        });
        WritePoints(writer, seconds, sources);
        WritePoints(writer, tenSeconds, sources);
        writer.Flush();
        return bytes.ToArray();
    }

    private static TrafficHistory Read(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload), Encoding.UTF8);
        if (reader.ReadByte() is var version && version != Version)
        {
            throw new FormatException($"it was written by another version of wunderproxy ({version}).");
        }

        var until = DateTimeOffset.FromUnixTimeMilliseconds(reader.Read7BitEncodedInt64());
        var sources = ReadList(reader, () => new TrafficSource(reader.ReadString() is { Length: > 0 } hash ? hash : null, reader.ReadString(), reader.Read7BitEncodedInt64()));
        var switches = ReadList(reader, () => new TrafficSwitch(new DateTimeOffset(reader.Read7BitEncodedInt64(), TimeSpan.Zero), reader.ReadString(), reader.ReadString()));
        var history = new TrafficHistory();
        history.Restore(until, ReadPoints(reader, sources), ReadPoints(reader, sources), switches);
        return history;
    }

    private static void WriteList<T>(BinaryWriter writer, IReadOnlyCollection<T> list, Action<T> write)
    {
        writer.Write7BitEncodedInt(list.Count);
        foreach (var item in list)
        {
            write(item);
        }
    }

    private static List<T> ReadList<T>(BinaryReader reader, Func<T> read)
    {
        var list = new List<T>();
        for (var left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            list.Add(read());
        }

        return list;
    }

    // Each step as what it is after the one before: a byte, mostly.
    private static void WritePoints(BinaryWriter writer, IReadOnlyList<KeptPoint> points, Dictionary<TrafficSource, int> sources)
    {
        var before = 0L;
        WriteList(writer, points, point =>
        {
            writer.Write7BitEncodedInt(sources[point.Source]);
            writer.Write7BitEncodedInt64(point.Start - before);
            before = point.Start;
            for (var digit = 0; digit < CountsByClass.Length; digit++)
            {
                writer.Write7BitEncodedInt64(point.ByClass[digit]);
            }

            writer.Write7BitEncodedInt64(point.BytesIn);
            writer.Write7BitEncodedInt64(point.BytesOut);
            writer.Write7BitEncodedInt64(point.P50);
            writer.Write7BitEncodedInt64(point.P90);
            writer.Write7BitEncodedInt64(point.P99);
        });
    }

    private static List<KeptPoint> ReadPoints(BinaryReader reader, List<TrafficSource> sources)
    {
        var before = 0L;
        return ReadList(reader, () =>
        {
            var source = sources[reader.Read7BitEncodedInt()];
            before += reader.Read7BitEncodedInt64();
            var byClass = default(CountsByClass);
            for (var digit = 0; digit < CountsByClass.Length; digit++)
            {
                byClass[digit] = (uint)reader.Read7BitEncodedInt64();
            }

            return new KeptPoint
            {
                Source = source,
                Start = before,
                ByClass = byClass,
                BytesIn = reader.Read7BitEncodedInt64(),
                BytesOut = reader.Read7BitEncodedInt64(),
                P50 = (uint)reader.Read7BitEncodedInt64(),
                P90 = (uint)reader.Read7BitEncodedInt64(),
                P99 = (uint)reader.Read7BitEncodedInt64(),
            };
        });
    }
}
