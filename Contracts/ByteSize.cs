using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts;

/// <summary>Sizes as people write them: bytes, or a whole number and a unit, <c>512KiB</c>, <c>10MiB</c>, <c>2GiB</c>.</summary>
public static class ByteSize
{
    /// <summary>Largest size that is accepted: 1 TiB.</summary>
    public const long Largest = 1L << 40;

    private static readonly (string Unit, int Power)[] Units = [("", 0), ("KiB", 10), ("MiB", 20), ("GiB", 30)];

    /// <summary>Reads a size.</summary>
    /// <param name="text">A whole number, alone or with one of the units KiB, MiB, GiB; no sign, no space, at most 1 TiB.</param>
    /// <param name="bytes">The size, or zero where the text is none.</param>
    /// <returns><see langword="false"/> if <paramref name="text"/> is not a size.</returns>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        var digits = (text ?? "").AsSpan().TrimEnd("KMGiB");
        var unit = (text ?? "")[digits.Length..];
        if (!Array.Exists(Units, u => u.Unit == unit) || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var power = Array.Find(Units, u => u.Unit == unit).Power;
        if (number > Largest >> power)
        {
            return false;
        }

        bytes = number << power;
        return true;
    }

    /// <summary>Writes a size in the largest unit that needs no decimals.</summary>
    /// <param name="bytes">Zero or more.</param>
    public static string Format(long bytes)
    {
        var (unit, power) = Array.FindLast(Units, u => bytes % (1L << u.Power) == 0 && (bytes > 0 || u.Power == 0));
        return string.Create(CultureInfo.InvariantCulture, $"{bytes >> power}{unit}");
    }
}

/// <summary>Reads a number of bytes, or <see cref="ByteSize"/> text; writes the text.</summary>
public sealed class ByteSizeJsonConverter : JsonConverter<long>
{
    /// <inheritdoc/>
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetInt64(out var number) && number is >= 0 and <= ByteSize.Largest => number,
        JsonTokenType.String when ByteSize.TryParse(reader.GetString(), out var bytes) => bytes,
        _ => throw new JsonException("Expected a size: bytes, or a text such as \"512KiB\" or \"10MiB\"."),
    };

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) => writer.WriteStringValue(ByteSize.Format(value));
}
