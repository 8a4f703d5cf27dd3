using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace Wunderproxy.Proxy.Acme;

/// <summary>The first message of a TLS client, as far as it tells whether a challenge is to be proven: SslStream tells no protocols before a certificate is chosen.</summary>
/// <remarks>Source: RFC 8446, section 4.1.2; RFC 7301, section 3.1.</remarks>
internal static class ClientHello
{
    private const int RecordHeader = 5;
    private const int LargestRecord = RecordHeader + (16 << 10);
    private const byte Handshake = 22;
    private const byte Hello = 1;
    private const int ProtocolsExtension = 16;
    private const int VersionAndRandom = 2 + 32;

    /// <summary>Whether a client wants a proof. Consumes nothing. One that isn't clear is none.</summary>
    public static async ValueTask<bool> WantsProofAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            var isWhole = IsWhole(read.Buffer) || read.IsCompleted || read.IsCanceled;
            var wantsProof = isWhole && WantsProof(read.Buffer.ToArray());
            input.AdvanceTo(read.Buffer.Start, isWhole ? read.Buffer.Start : read.Buffer.End);
            if (isWhole)
            {
                return wantsProof;
            }
        }
    }

    /// <summary>Whether the only protocol that a client offers is the challenge's.</summary>
    /// <param name="bytes">What it has sent so far.</param>
    public static bool WantsProof(ReadOnlySpan<byte> bytes)
    {
        // A hello in several records is no validator's.
        var left = bytes is [Handshake, _, _, _, _, Hello, _, _, _, ..] ? bytes[(RecordHeader + 4)..] : default;
        return TrySkip(ref left, VersionAndRandom) && TrySkipField(ref left, 1) && TrySkipField(ref left, 2) && TrySkipField(ref left, 1) && TryTake(ref left, 2, out var extensions)
            && FindProtocols(extensions) is { IsEmpty: false } protocols && IsForProof(protocols);
    }

    private static bool IsWhole(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> header = stackalloc byte[RecordHeader];
        if (bytes.Length < RecordHeader)
        {
            return false;
        }

        bytes.Slice(0, RecordHeader).CopyTo(header);
        return header[0] != Handshake || bytes.Length >= Math.Min(LargestRecord, RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(header[3..]));
    }

    private static ReadOnlySpan<byte> FindProtocols(ReadOnlySpan<byte> extensions)
    {
        while (extensions.Length >= 4)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(extensions);
            var length = BinaryPrimitives.ReadUInt16BigEndian(extensions[2..]);
            if (extensions.Length < 4 + length)
            {
                break;
            }

            if (type == ProtocolsExtension)
            {
                return extensions.Slice(4, length);
            }

            extensions = extensions[(4 + length)..];
        }

        return default;
    }

    private static bool IsForProof(ReadOnlySpan<byte> protocols) =>
        TryTake(ref protocols, 2, out var list) && TryTake(ref list, 1, out var protocol) && list.IsEmpty && protocol.SequenceEqual(AcmeChallenge.Protocol.Protocol.Span);

    private static bool TrySkip(ref ReadOnlySpan<byte> bytes, int count)
    {
        var isThere = bytes.Length >= count;
        bytes = isThere ? bytes[count..] : default;
        return isThere;
    }

    private static bool TrySkipField(ref ReadOnlySpan<byte> bytes, int lengthBytes) => TryTake(ref bytes, lengthBytes, out _);

    // A field is preceded by its length, in one byte or two.
    private static bool TryTake(ref ReadOnlySpan<byte> bytes, int lengthBytes, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (bytes.Length < lengthBytes)
        {
            return false;
        }

        var length = lengthBytes == 1 ? bytes[0] : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length < lengthBytes + length)
        {
            return false;
        }

        field = bytes.Slice(lengthBytes, length);
        bytes = bytes[(lengthBytes + length)..];
        return true;
    }
}
