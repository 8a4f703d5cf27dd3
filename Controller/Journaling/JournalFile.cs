using System.Text.Json;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Journaling;

/// <summary>Keeps the journal in the state file.</summary>
/// <remarks>
/// The images that were brought here are kept in a file beside it, too: all else can be told from the containers when both slots of the state file are lost,
/// but an image alone doesn't tell whose it is.
/// </remarks>
internal sealed class JournalFile
{
    private const string ImagesExtension = ".images";
    private const int MaxImagesBytes = 1 << 20;

    private readonly SlotFile _slots;
    private readonly string _imagesPath;
    private readonly IFileSystem? _files;
    private ValueList<OwnedImage>? _images;

    private JournalFile(SlotFile slots, string imagesPath, IFileSystem? files, ValueList<OwnedImage>? images, Journal loaded, string? damage)
    {
        (_slots, _imagesPath, _files, _images) = (slots, imagesPath, files, images);
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
        var imagesPath = path + ImagesExtension;
        var images = ReadImages(imagesPath, files);
        var loaded = Decode(slots.Found.Newest, damages) ?? new Journal { NeedsAdoption = true, Images = images ?? [] };
        return new JournalFile(slots, imagesPath, files, images, loaded, damages.Count == 0 ? null : string.Join("; ", damages));
    }

    /// <summary>Writes the journal; it is on the disk when this returns.</summary>
    /// <exception cref="DurableWriteException">It isn't; the former one still counts.</exception>
    public void Save(Journal journal)
    {
        _slots.Save(JsonSerializer.SerializeToUtf8Bytes(journal, JournalJson.Default.Journal));
        if (!_images.Equals(journal.Images))
            SaveImages(journal.Images);
    }

    // The slots are overwritten in place, and this file is not: a disk that is full keeps it from being written, and nothing else. It is tried again with the next journal.
    private void SaveImages(ValueList<OwnedImage> images)
    {
        try
        {
            DurableFile.WriteAtomically(_imagesPath, JsonSerializer.SerializeToUtf8Bytes(images.ToArray(), JournalJson.Default.OwnedImageArray), files: _files);
            _images = images;
        }
        catch (DurableWriteException)
        {
            _images = null;
        }
    }

    // Where it can't be read either, images of former releases stay on the host.
    private static ValueList<OwnedImage>? ReadImages(string path, IFileSystem? files)
    {
        try
        {
            return (files ?? PosixFileSystem.Instance).Read(path, MaxImagesBytes) is { } bytes && JsonSerializer.Deserialize(bytes, JournalJson.Default.OwnedImageArray) is { } images ? [.. images] : null;
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return null;
        }
    }

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
