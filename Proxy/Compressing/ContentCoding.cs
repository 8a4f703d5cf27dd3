using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Wunderproxy.Proxy.Compressing;

/// <summary>How a body is encoded.</summary>
internal enum ContentCoding
{
    /// <summary>Not at all.</summary>
    Identity,

    /// <summary><c>gzip</c>.</summary>
    Gzip,

    /// <summary><c>br</c>.</summary>
    Brotli,
}

/// <summary>Which coding a client likes best. Source: RFC 9110, section 12.5.3.</summary>
internal static class AcceptedCodings
{
    /// <summary>Chooses among those that are known here: the one of the greatest weight, of equal ones the one that makes bodies smallest.</summary>
    /// <param name="accepted">The request's <c>Accept-Encoding</c>.</param>
    public static ContentCoding Best(StringValues accepted)
    {
        var weights = Read(accepted);
        var (brotli, gzip, identity) = (weights.Brotli ?? weights.Any ?? 0, weights.Gzip ?? weights.Any ?? 0, weights.Identity ?? weights.Any ?? double.Epsilon);
        return brotli > 0 && brotli >= gzip && brotli >= identity ? ContentCoding.Brotli
            : gzip > 0 && gzip >= identity ? ContentCoding.Gzip
            : ContentCoding.Identity;
    }

    // gzip;q=0.8, br, *;q=0
    private static (double? Brotli, double? Gzip, double? Identity, double? Any) Read(StringValues accepted)
    {
        (double? Brotli, double? Gzip, double? Identity, double? Any) weights = default;
        foreach (var line in accepted)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var (name, weight) = ReadOne(line.AsSpan(range));
                weights = name switch
                {
                    "br" => weights with { Brotli = weight },
                    "gzip" or "x-gzip" => weights with { Gzip = weight },
                    "identity" => weights with { Identity = weight },
                    "*" => weights with { Any = weight },
                    _ => weights,
                };
            }
        }

        return weights;
    }

    private static (string Name, double Weight) ReadOne(ReadOnlySpan<char> text)
    {
        var semicolon = text.IndexOf(';');
        var name = (semicolon < 0 ? text : text[..semicolon]).Trim().ToString().ToLowerInvariant();
        return (name, semicolon < 0 ? 1 : WeightIn(text[(semicolon + 1)..].Trim()));
    }

    // What isn't a weight is none: rather no compression than a coding that the client doesn't want.
    private static double WeightIn(ReadOnlySpan<char> parameter) =>
        parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
        && double.TryParse(parameter[2..].Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
        && weight is >= 0 and <= 1
            ? weight
            : 0;
}
