using System.Buffers.Binary;
using System.Text;

namespace Wunderproxy.IntegrationTests.Exporting;

/// <summary>A message of protobuf, by the numbers of its fields. Source: the protocol buffers encoding.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, ulong Number, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public ProtoMessage(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var key = Varint(ref bytes);
            var (field, wire) = ((int)(key >> 3), key & 7);
            var length = wire switch { 0 => 0, 1 => 8, 2 => (int)Varint(ref bytes), 5 => 4, _ => throw new FormatException($"There is no wire type {wire}.") };
            var value = bytes[..length];
            _fields.Add((field, wire switch { 0 => Varint(ref bytes), 1 => BinaryPrimitives.ReadUInt64LittleEndian(value.Span), _ => 0 }, value));
            bytes = bytes[length..];
        }
    }

    public IEnumerable<ProtoMessage> All(params int[] path) => path is [var field, .. var rest]
        ? _fields.Where(known => known.Field == field).Select(known => new ProtoMessage(known.Bytes)).SelectMany(message => message.All(rest))
        : [this];

    public bool Has(int field) => _fields.Exists(known => known.Field == field);

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field).Span);

    public ReadOnlyMemory<byte> Bytes(int field) => _fields.LastOrDefault(known => known.Field == field).Bytes;

    public ulong Number(int field) => _fields.LastOrDefault(known => known.Field == field).Number;

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    /// <summary>Numbers of eight bytes each, packed.</summary>
    public IReadOnlyList<ulong> Packed(int field) => [.. Bytes(field).ToArray().Chunk(8).Select(number => BinaryPrimitives.ReadUInt64LittleEndian(number))];

    /// <summary>Attributes: pairs of a key and a value, of which the text or the number is taken.</summary>
    public Dictionary<string, string> Attributes(int field) =>
        All(field).ToDictionary(pair => pair.Text(1), pair => pair.All(2).Single() is var value && value.Has(1) ? value.Text(1) : $"{value.Number(3)}");

    private static ulong Varint(ref ReadOnlyMemory<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes.Span[0];
            bytes = bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
