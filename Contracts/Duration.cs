using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts;

/// <summary>Durations as people write them: a whole or decimal number and a unit, <c>250ms</c>, <c>30s</c>, <c>5m</c>, <c>1h</c>.</summary>
public static class Duration
{
    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

    /// <summary>Longest duration that is accepted: 30 days.</summary>
    public static TimeSpan Longest { get; } = TimeSpan.FromDays(30);

    /// <summary>Reads a duration.</summary>
    /// <param name="text">A number and one of the units ms, s, m, h; no sign, no space, at most 30 days.</param>
    /// <param name="duration">The duration, or zero where the text is none.</param>
    /// <returns><see langword="false"/> if <paramref name="text"/> is not a duration.</returns>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        var digits = (text ?? "").AsSpan().TrimEnd("smh");
        var unit = (text ?? "")[digits.Length..];
        var factor = Units.FirstOrDefault(u => u.Unit == unit).Milliseconds;
        if (factor == 0 || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            || !(number * factor <= Longest.TotalMilliseconds))
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(number * factor);
        return true;
    }

    /// <summary>Writes a duration in the largest unit that needs no decimals.</summary>
    /// <param name="duration">Zero or more; fractions of a millisecond are dropped.</param>
    public static string Format(TimeSpan duration)
    {
        var milliseconds = (long)duration.TotalMilliseconds;
        var (unit, factor) = Units.Last(u => milliseconds % (long)u.Milliseconds == 0 && (milliseconds > 0 || u.Unit == "s"));
        return string.Create(CultureInfo.InvariantCulture, $"{milliseconds / (long)factor}{unit}");
    }
}

/// <summary>Reads and writes a <see cref="TimeSpan"/> as <see cref="Duration"/> text.</summary>
public sealed class DurationJsonConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Duration.TryParse(reader.GetString(), out var duration)
            ? duration
            : throw new JsonException("Expected a duration such as \"250ms\", \"30s\", \"5m\" or \"1h\".");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Duration.Format(value));
}
