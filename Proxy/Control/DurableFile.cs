using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.Control;

/// <summary>A small document that survives a crash at any instant: either the former one is there afterwards, or the new one, never a mixture or nothing.</summary>
/// <remarks>
/// The file has two slots, allocated when it is made, so that a full disk doesn't hinder a later write. They are overwritten in turn:
/// a write that was cut short damages the older one only. Each slot begins with one line of fixed length,
/// <code>wunderproxy-state 1 00000000000000000042 0000000815 3f…(64 hex digits)</code>
/// (format, version, sequence, length in bytes, SHA-256 over sequence, length and document), followed by the document. The valid slot with
/// the higher sequence counts. Every write ends with libc's <c>fsync</c>, whose errors .NET would swallow.
/// </remarks>
internal sealed class DurableFile : IDisposable
{
    /// <summary>Largest document, in bytes.</summary>
    public const int MaxLength = SlotSize - HeaderLength;

    private const int SlotSize = 2 << 20;
    private const int FormerSlotSize = 1 << 20;
    private const int HeaderLength = 18 + 2 + 21 + 11 + 65;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _file;
    private readonly int _slotSize;
    private int _olderSlot;
    private long _sequence;

    private DurableFile(FileStream file)
    {
        _file = file;
        _slotSize = HasFormerSlots() ? FormerSlotSize : SlotSize;
        var slots = new[] { ReadSlot(0), ReadSlot(1) };
        var newer = slots[1].Sequence >= slots[0].Sequence ? 1 : 0;
        _sequence = Math.Max(0, slots[newer].Sequence);
        Content = slots[newer].Content;
        _olderSlot = 1 - newer;
        DamagedSlots = slots.Count(slot => slot.Sequence < 0);
    }

    private static ReadOnlySpan<byte> Format => "wunderproxy-state 1 "u8;

    /// <summary>The document; <see langword="null"/> if neither slot is valid, as in a new file.</summary>
    public byte[]? Content { get; private set; }

    /// <summary>How many slots hold something that can't be read.</summary>
    public int DamagedSlots { get; }

    /// <summary>Opens a file, or makes one that only its owner can read.</summary>
    /// <exception cref="IOException">The file or its folder can't be used, or the disk is full.</exception>
    public static DurableFile Open(string path)
    {
        var isNew = !File.Exists(path);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = isNew ? FileMode.CreateNew : FileMode.Open,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            BufferSize = 0,
            PreallocationSize = isNew ? 2 * SlotSize : 0,
            UnixCreateMode = isNew ? OwnerOnly : null,
        });
        try
        {
            if (isNew)
            {
                Sync(file.SafeFileHandle);
                SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
            }

            return new DurableFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes a plain file that only its owner can read: after a crash either the former one is there, or the new one.</summary>
    /// <exception cref="IOException">It may not be on the disk.</exception>
    public static void Replace(string path, byte[] content)
    {
        var temporary = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.tmp");
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = OwnerOnly }))
        {
            RandomAccess.Write(file.SafeFileHandle, content, 0);
            Sync(file.SafeFileHandle);
        }

        File.Move(temporary, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Removes a file such that it doesn't come back after a crash.</summary>
    public static void Remove(string path)
    {
        File.Delete(path);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Replaces the document. When this returns, it is on the disk.</summary>
    /// <exception cref="IOException">It may not be on the disk; the former document still counts.</exception>
    public void Write(byte[] content)
    {
        if (content.Length > _slotSize - HeaderLength)
        {
            throw new IOException($"The document has {content.Length} bytes; the file takes {_slotSize - HeaderLength}.");
        }

        var header = Header(_sequence + 1, content);
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, content, SlotOffset(_olderSlot) + HeaderLength);
            RandomAccess.Write(_file.SafeFileHandle, header, SlotOffset(_olderSlot));
            Sync(_file.SafeFileHandle);
        }
        catch (IOException)
        {
            Invalidate();
            throw;
        }

        _sequence++;
        _olderSlot = 1 - _olderSlot;
        Content = content;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private long SlotOffset(int slot) => (long)slot * _slotSize;

    private static byte[] Header(long sequence, ReadOnlySpan<byte> content)
    {
        var numbers = string.Create(CultureInfo.InvariantCulture, $"{sequence:D20} {content.Length:D10}");
        return Encoding.ASCII.GetBytes($"wunderproxy-state 1 {numbers} {Convert.ToHexStringLower(Digest(numbers, content))}\n");
    }

    private static byte[] Digest(string numbers, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(numbers));
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    // Files that were made when snapshots had no error pages have smaller slots: the second one begins where a document is now.
    private bool HasFormerSlots()
    {
        Span<byte> beginning = stackalloc byte[Format.Length];
        return _file.Length <= 2 * FormerSlotSize && RandomAccess.Read(_file.SafeFileHandle, beginning, FormerSlotSize) == beginning.Length && beginning.SequenceEqual(Format);
    }

    // Sequence 0: an unused slot; -1: a damaged one.
    private (long Sequence, byte[]? Content) ReadSlot(int slot)
    {
        var bytes = new byte[_slotSize];
        var length = RandomAccess.Read(_file.SafeFileHandle, bytes, SlotOffset(slot));
        if (!bytes.AsSpan().ContainsAnyExcept((byte)0))
        {
            return (0, null);
        }

        var fields = Encoding.ASCII.GetString(bytes, 0, HeaderLength).Split(' ');
        if (fields is not [_, _, var sequence, var size, _] || !int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var contentLength)
            || !long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || contentLength > length - HeaderLength)
        {
            return (-1, null);
        }

        var content = bytes[HeaderLength..(HeaderLength + contentLength)];
        return bytes.AsSpan(0, HeaderLength).SequenceEqual(Header(number, content)) ? (number, content) : (-1, null);
    }

    // What was refused must not be found after a restart. Where even this fails, the slot may hold the refused document.
    private void Invalidate()
    {
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, new byte[HeaderLength], SlotOffset(_olderSlot));
        }
        catch (IOException)
        {
            return;
        }
    }

    private static void Sync(SafeFileHandle handle)
    {
        if (Fsync(handle) != 0)
        {
            throw new IOException($"fsync failed: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    private static void SyncFolder(string folder)
    {
        const int readOnly = 0;
        using var handle = OpenFile(folder, readOnly, 0);
        if (handle.IsInvalid)
        {
            throw new IOException($"Folder '{folder}' can't be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        Sync(handle);
    }

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Fsync(SafeFileHandle file);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern SafeFileHandle OpenFile([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, int mode);
}
