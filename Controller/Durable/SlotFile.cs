namespace Wunderproxy.Controller.Durable;

/// <summary>
/// Keeps one small payload such that a crash at any instant, a torn write or damage to either file leaves the newest one or the one before.
/// </summary>
/// <remarks>
/// Two files, <c>{path}.a</c> and <c>{path}.b</c>, preallocated and overwritten in turn: the valid one is never touched while the other is written, and
/// once both exist neither a rename nor a sync of the folder is relied upon. A slot that is absent, too small or failed a write is
/// replaced by a new file instead: after a failed fsync the system holds its pages for clean, so only other blocks can be trusted.
/// </remarks>
internal sealed class SlotFile
{
    public const int InitialBytes = 256 * 1024;
    public const int MaxBytes = 4 * 1024 * 1024;

    private const int DamagedKept = 3;

    private readonly Lock _gate = new();
    private readonly IFileSystem _files;
    private readonly int _initialBytes;
    private readonly SlotPlace[] _places;
    private SlotPlace? _newest;
    private long _generation;

    private SlotFile(IFileSystem files, int initialBytes, SlotPlace[] places)
    {
        _files = files;
        _initialBytes = initialBytes;
        _places = places;
        _newest = places.Where(place => place.Found is not null).MaxBy(place => place.Found!.Generation);
        _generation = _newest?.Found?.Generation ?? 0;
        Found = new SlotLoad(ConditionOf(places), _newest?.Found, DamagesOf(places));
    }

    /// <summary>What the files held when they were opened.</summary>
    public SlotLoad Found { get; }

    /// <summary>Reads both slots. Writes nothing, and fails for no content of the files.</summary>
    /// <param name="path">Path without <c>.a</c> and <c>.b</c>; its folder must exist by the first save.</param>
    /// <param name="files">The file system; absent: the real one.</param>
    /// <param name="initialBytes">Length of a new slot.</param>
    public static SlotFile Open(string path, IFileSystem? files = null, int initialBytes = InitialBytes)
    {
        files ??= PosixFileSystem.Instance;
        return new SlotFile(files, initialBytes, [Examine(files, path + ".a"), Examine(files, path + ".b")]);
    }

    /// <summary>Saves a payload; it is on the disk when this returns.</summary>
    /// <param name="payload">At most <see cref="MaxBytes"/> less <see cref="Slot.HeaderBytes"/>.</param>
    /// <exception cref="DurableWriteException">
    /// It isn't known to be on the disk. The payload saved last stays valid; a later load gives that one, or this one if it got there after all.
    /// </exception>
    public void Save(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            var target = _newest == _places[0] ? _places[1] : _places[0];
            try
            {
                SetDamagedAside();
                Write(target, payload);
            }
            catch (DurableWriteException failure)
            {
                throw NotSaved(target, failure);
            }

            Preallocate(payload);
        }
    }

    private static SlotPlace Examine(IFileSystem files, string path)
    {
        try
        {
            var bytes = files.Read(path, MaxBytes);
            string? damage = null;
            var slot = bytes is null ? null : Slot.Decode(bytes, out damage);
            return new SlotPlace(path, slot, bytes is null ? "absent" : damage) { Exists = bytes is not null, Capacity = bytes?.Length ?? 0 };
        }
        catch (IOException failure)
        {
            return new SlotPlace(path, null, $"unreadable: {failure.Message}") { Exists = true };
        }
    }

    private static SlotCondition ConditionOf(SlotPlace[] places) => places switch
    {
        [{ Exists: false }, { Exists: false }] => SlotCondition.Nothing,
        [{ Found: not null }, { Found: not null }] => SlotCondition.Intact,
        [{ Found: null }, { Found: null }] => SlotCondition.AllDamaged,
        _ => SlotCondition.OneDamaged,
    };

    private static SlotDamage[] DamagesOf(SlotPlace[] places) => ConditionOf(places) is SlotCondition.Nothing
        ? []
        : [.. places.Where(place => place.Damage is not null).Select(place => new SlotDamage(place.Path, place.Damage!))];

    private void Write(SlotPlace place, ReadOnlySpan<byte> payload)
    {
        var needed = Slot.HeaderBytes + payload.Length;
        var generation = ++_generation;
        if (needed > MaxBytes)
        {
            throw new DurableWriteException(DurableWriteFault.Failed, $"{needed} bytes are more than a slot may hold, {MaxBytes}");
        }

        if (needed <= place.Capacity)
        {
            Overwrite(place, Slot.Encode(generation, payload, needed));
        }
        else
        {
            Replace(place, Slot.Encode(generation, payload, CapacityFor(needed)));
        }

        _newest = place;
    }

    private void Overwrite(SlotPlace place, byte[] content)
    {
        var capacity = place.Capacity;
        place.Capacity = 0;
        using var file = _files.Open(place.Path);
        file.Write(0, content);
        file.Sync();
        place.Capacity = capacity;
    }

    private void Replace(SlotPlace place, byte[] content)
    {
        // Until the folder is synced, even a file that is there already may be gone after a power cut: not to be written in place.
        place.Capacity = 0;
        DurableFile.WriteAtomically(place.Path, content, files: _files);
        place.Capacity = content.Length;
        place.Exists = true;
    }

    private int CapacityFor(int needed)
    {
        var size = _initialBytes;
        while (size < needed)
        {
            size *= 2;
        }

        return size;
    }

    // With both files in place a full disk can't refuse the next save. If there is no room for the second now, the save itself has still succeeded.
    private void Preallocate(ReadOnlySpan<byte> payload)
    {
        if (_places.FirstOrDefault(place => !place.Exists) is not { } absent)
        {
            return;
        }

        try
        {
            Write(absent, payload);
        }
        catch (DurableWriteException)
        {
            // The next save writes this slot first and reports what is wrong.
        }
    }

    private void SetDamagedAside()
    {
        if (_newest is not null)
        {
            return;
        }

        foreach (var place in _places.Where(place => place.Exists))
        {
            SetAside(place);
        }
    }

    private void SetAside(SlotPlace place)
    {
        for (var number = DamagedKept - 1; number >= 1; number--)
        {
            _files.Rename($"{place.Path}.damaged-{number}", $"{place.Path}.damaged-{number + 1}");
        }

        _files.Rename(place.Path, $"{place.Path}.damaged-1");
        place.Exists = false;
        place.Capacity = 0;
    }

    private DurableWriteException NotSaved(SlotPlace place, DurableWriteException failure)
    {
        var holds = _newest is null ? "Nothing was saved before." : $"The generation saved before, in '{_newest.Path}', stays valid.";
        return new DurableWriteException(failure.Fault, $"State was not saved in '{place.Path}': {failure.Message.TrimEnd('.')}. {holds}", failure);
    }

    /// <summary>One of the two files.</summary>
    private sealed class SlotPlace(string path, Slot? found, string? damage)
    {
        public string Path { get; } = path;

        public Slot? Found { get; } = found;

        public string? Damage { get; } = damage;

        public bool Exists { get; set; }

        /// <summary>Bytes that can be overwritten in place; 0 where the file must be replaced.</summary>
        public int Capacity { get; set; }
    }
}
