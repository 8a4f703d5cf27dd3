using Wunderproxy.Controller.Durable;

namespace Wunderproxy.IntegrationTests.Durable;

/// <summary>The power went: nothing after this happens.</summary>
internal sealed class PowerCutException : Exception;

/// <summary>
/// A disk in memory that keeps what a real one promises and no more: unsynced sectors and unsynced names survive a power cut by chance,
/// a write may be torn, and a failed sync forgets what was to be written.
/// </summary>
internal sealed class CrashingFileSystem(int seed) : IFileSystem
{
    private const int SectorBytes = 512;

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, Node> _names = [];
    private readonly Dictionary<string, Node> _durableNames = [];
    private readonly List<Action<Dictionary<string, Node>>> _unsyncedNames = [];
    private bool _off;

    /// <summary>Changing calls so far.</summary>
    public int Steps { get; private set; }

    /// <summary>The changing call, counted from 1, in which the power goes.</summary>
    public int? PowerCutAt { get; set; }

    /// <summary>Called when the power goes.</summary>
    public Action WhenOff { get; set; } = () => { };

    /// <summary>While set, no file can be made longer; what has its place already can be overwritten.</summary>
    public bool IsFull { get; set; }

    /// <summary>Which changing calls fail, and how.</summary>
    public Func<int, DurableWriteFault?> FaultAt { get; set; } = _ => null;

    public IEnumerable<string> Names => _names.Keys.Order(StringComparer.Ordinal);

    public byte[] this[string path]
    {
        get => _names[path].Cached;
        set => _names[path] = _durableNames[path] = new Node { Cached = value, Durable = [.. value] };
    }

    /// <summary>What a machine finds when the power is back.</summary>
    public CrashingFileSystem Reboot()
    {
        var survivors = new Dictionary<string, Node>(_durableNames);
        foreach (var change in _unsyncedNames.Take(_random.Next(_unsyncedNames.Count + 1)))
        {
            change(survivors);
        }

        var rebooted = new CrashingFileSystem(_random.Next());
        foreach (var (name, node) in survivors)
        {
            rebooted[name] = node.AfterPowerCut(_random);
        }

        return rebooted;
    }

    /// <summary>What a new process finds on the machine that goes on: everything that was written, synced or not.</summary>
    public void Restart()
    {
        _off = false;
        PowerCutAt = null;
    }

    public void CreateDirectory(string path)
    {
        // Folders are no part of what is tested: each exists.
    }

    public IReadOnlyList<string> List(string folder) => [.. Names.Where(name => Path.GetDirectoryName(name) == folder)];

    public byte[]? Read(string path, int maxBytes) =>
        _names.TryGetValue(path, out var node) ? node.Cached[..Math.Min(node.Cached.Length, maxBytes)] : null;

    public IWritableFile Create(string path, UnixFileMode mode)
    {
        Step(() => { });
        Assert.DoesNotContain(path, _names.Keys);
        var node = new Node();
        ChangeNames(names => names[path] = node);
        return new OpenFile(this, node);
    }

    public IWritableFile Open(string path)
    {
        Step(() => { });
        return new OpenFile(this, _names[path]);
    }

    public bool Rename(string from, string to)
    {
        Step(() => { });
        if (!_names.TryGetValue(from, out var node))
        {
            return false;
        }

        ChangeNames(names =>
        {
            names.Remove(from);
            names[to] = node;
        });
        return true;
    }

    public void Delete(string path)
    {
        Step(() => { });
        ChangeNames(names => names.Remove(path));
    }

    public void SyncDirectory(string path)
    {
        Step(() => { });
        _unsyncedNames.ForEach(change => change(_durableNames));
        _unsyncedNames.Clear();
    }

    private void ChangeNames(Action<Dictionary<string, Node>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }

    private void Step(Action partly)
    {
        Steps++;
        _off |= Steps == PowerCutAt;
        var fault = FaultAt(Steps);
        if (_off || fault is not null)
        {
            partly();
        }

        if (_off)
        {
            WhenOff();
            throw new PowerCutException();
        }

        if (fault is { } failed)
        {
            throw new DurableWriteException(failed, $"step {Steps} was made to fail");
        }
    }

    private sealed class OpenFile(CrashingFileSystem disk, Node node) : IWritableFile
    {
        public void Write(long offset, ReadOnlySpan<byte> content)
        {
            var bytes = content.ToArray();
            if (disk.IsFull && offset + bytes.Length > node.Cached.Length)
            {
                node.Write(offset, bytes.AsSpan(0, (int)Math.Max(0, node.Cached.Length - offset)));
                throw new DurableWriteException(DurableWriteFault.NoSpace, "the disk is full");
            }

            disk.Step(() => node.Write(offset, bytes.AsSpan(0, disk._random.Next(bytes.Length + 1))));
            node.Write(offset, bytes);
        }

        public void Sync()
        {
            disk.Step(node.ForgetUnsynced);
            node.Sync();
        }

        public void Dispose()
        {
        }
    }

    private sealed class Node
    {
        private readonly HashSet<int> _unsynced = [];

        public byte[] Cached { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public void Write(long offset, ReadOnlySpan<byte> content)
        {
            var end = (int)offset + content.Length;
            Cached = Grown(Cached, end);
            content.CopyTo(Cached.AsSpan((int)offset));
            for (var sector = (int)offset / SectorBytes; sector * SectorBytes < end; sector++)
            {
                _unsynced.Add(sector);
            }
        }

        public void Sync()
        {
            Durable = Grown(Durable, Cached.Length);
            foreach (var sector in _unsynced)
            {
                Persist(sector, SectorBytes);
            }

            _unsynced.Clear();
        }

        // After an error the kernel calls the pages clean: readers still see them, no later sync writes them.
        public void ForgetUnsynced() => _unsynced.Clear();

        public byte[] AfterPowerCut(Random random)
        {
            foreach (var sector in _unsynced)
            {
                Persist(sector, random.Next(3) switch { 0 => 0, 1 => SectorBytes, _ => random.Next(SectorBytes) });
            }

            return Durable;
        }

        private void Persist(int sector, int count)
        {
            var start = sector * SectorBytes;
            var end = Math.Min(start + count, Cached.Length);
            Durable = Grown(Durable, end);
            Cached.AsSpan(start, Math.Max(0, end - start)).CopyTo(Durable.AsSpan(start));
        }

        private static byte[] Grown(byte[] bytes, int length)
        {
            if (bytes.Length < length)
            {
                Array.Resize(ref bytes, length);
            }

            return bytes;
        }
    }
}
