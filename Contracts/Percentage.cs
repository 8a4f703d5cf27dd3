using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts;

/// <summary>Shares as people write them: a whole or decimal number and a percent sign, <c>1%</c>, <c>0.5%</c>.</summary>
public static class Percentage
{
    private const double Whole = 100;

    /// <summary>Reads a share.</summary>
    /// <param name="text">A number from 0 to 100 and a percent sign; no sign, no space.</param>
    /// <param name="share">The share, 0 to 1, or zero where the text is none.</param>
    /// <returns><see langword="false"/> if <paramref name="text"/> is not a share.</returns>
    public static bool TryParse(string? text, out double share)
    {
        share = 0;
        if (text is not [.. var digits, '%'] || !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || !(number <= Whole))
        {
            return false;
        }

        share = number / Whole;
        return true;
    }

    /// <summary>Writes a share with three digits that count, such as <c>6.21%</c>.</summary>
    /// <param name="share">0 to 1.</param>
    public static string Format(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * Whole:G3}%");
}

/// <summary>Reads and writes a share as <see cref="Percentage"/> text.</summary>
public sealed class PercentageJsonConverter : JsonConverter<double>
{
    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Percentage.TryParse(reader.GetString(), out var share)
            ? share
            : throw new JsonException("Expected a share such as \"1%\" or \"0.5%\".");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) => writer.WriteStringValue(Percentage.Format(value));
}
