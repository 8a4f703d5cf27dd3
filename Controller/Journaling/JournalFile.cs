using System.Text.Json;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Journaling;

/// <summary>Keeps the journal in the state file.</summary>
internal sealed class JournalFile
{
    private readonly SlotFile _slots;

    private JournalFile(SlotFile slots, Journal loaded, string? damage)
    {
        _slots = slots;
        Loaded = loaded;
        Damage = damage;
    }

    /// <summary>What was found; a new journal, to be filled by adoption, where nothing valid was.</summary>
    public Journal Loaded { get; }

    /// <summary>What was wrong with the state file; absent: nothing.</summary>
    public string? Damage { get; }

    /// <summary>Reads the state file. It never fails for its content: what can't be read is set aside, and the journal is rebuilt from the containers.</summary>
    /// <param name="path">Without the slots' suffixes.</param>
    /// <param name="files">The file system; absent: the real one.</param>
    public static JournalFile Open(string path, IFileSystem? files = null)
    {
        var slots = SlotFile.Open(path, files);
        var damages = slots.Found.Damages.Select(d => $"{d.Path}: {d.Reason}").ToList();
        var loaded = Decode(slots.Found.Newest, damages) ?? new Journal { NeedsAdoption = true };
        return new JournalFile(slots, loaded, damages.Count == 0 ? null : string.Join("; ", damages));
    }

    /// <summary>Writes the journal; it is on the disk when this returns.</summary>
    /// <exception cref="DurableWriteException">It isn't; the former one still counts.</exception>
    public void Save(Journal journal) => _slots.Save(JsonSerializer.SerializeToUtf8Bytes(journal, JournalJson.Default.Journal));

    private static Journal? Decode(Slot? slot, List<string> damages)
    {
        if (slot is null)
            return null;
        try
        {
            return JsonSerializer.Deserialize(slot.Payload.Span, JournalJson.Default.Journal);
        }
        catch (JsonException exception)
        {
            damages.Add($"generation {slot.Generation} is not a journal: {exception.Message}");
            return null;
        }
    }
}
