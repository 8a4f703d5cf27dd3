using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Wunderproxy.Controller.Durable;

/// <summary>The content of one slot: a payload, and what proves that it is whole.</summary>
/// <remarks>
/// <c>magic (8) | format version (4) | payload length (4) | generation (8) | SHA-256 (32) | payload | left over from earlier, longer ones</c>,
/// numbers little-endian. The digest is over everything before it and the payload.
/// </remarks>
/// <param name="Generation">Grows with each write, over both slots.</param>
/// <param name="Payload">What was saved.</param>
internal sealed record Slot(long Generation, ReadOnlyMemory<byte> Payload)
{
    public const int HeaderBytes = DigestAt + SHA256.HashSizeInBytes;

    private const int FormatVersion = 1;
    private const int VersionAt = 8;
    private const int LengthAt = 12;
    private const int GenerationAt = 16;
    private const int DigestAt = 24;

    private static ReadOnlySpan<byte> Magic => "wp-slot\n"u8;

    /// <summary>The bytes of a slot.</summary>
    /// <param name="generation">Its generation.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="size">Length of the result, at least header and payload; the rest is zeros.</param>
    public static byte[] Encode(long generation, ReadOnlySpan<byte> payload, int size)
    {
        var slot = new byte[size];
        Magic.CopyTo(slot);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(VersionAt), FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(slot.AsSpan(LengthAt), payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(slot.AsSpan(GenerationAt), generation);
        payload.CopyTo(slot.AsSpan(HeaderBytes));
        Digest(slot, payload.Length).CopyTo(slot, DigestAt);
        return slot;
    }

    /// <summary>Reads a slot.</summary>
    /// <returns>The slot, or <see langword="null"/> with the reason why these bytes are none.</returns>
    public static Slot? Decode(ReadOnlyMemory<byte> bytes, out string? damage)
    {
        damage = DamageOf(bytes.Span);
        return damage is null
            ? new Slot(BinaryPrimitives.ReadInt64LittleEndian(bytes.Span[GenerationAt..]), bytes.Slice(HeaderBytes, LengthOf(bytes.Span)))
            : null;
    }

    private static string? DamageOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderBytes)
        {
            return $"only {bytes.Length} bytes long";
        }

        if (!bytes.StartsWith(Magic))
        {
            return "not a state file of wunderproxy";
        }

        var version = BinaryPrimitives.ReadInt32LittleEndian(bytes[VersionAt..]);
        if (version != FormatVersion)
        {
            return $"format version {version}, only {FormatVersion} is known: written by another version of wunderproxy";
        }

        var length = LengthOf(bytes);
        if (length < 0 || length > bytes.Length - HeaderBytes)
        {
            return $"{length} bytes of payload announced, {bytes.Length - HeaderBytes} present";
        }

        return Digest(bytes, length).AsSpan().SequenceEqual(bytes.Slice(DigestAt, SHA256.HashSizeInBytes)) ? null : "checksum mismatch";
    }

    private static int LengthOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes[LengthAt..]);

    private static byte[] Digest(ReadOnlySpan<byte> bytes, int length)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(bytes[..DigestAt]);
        digest.AppendData(bytes.Slice(HeaderBytes, length));
        return digest.GetHashAndReset();
    }
}
