using System.Globalization;

namespace Wunderproxy.Controller.Reporting;

/// <summary>A share of the clients as people write it.</summary>
internal static class Share
{
    /// <summary>Reads <c>10%</c>, <c>10</c> or <c>off</c>.</summary>
    /// <returns>Whole percent, 0 to 100; absent: it is no share.</returns>
    public static int? Parse(string text)
    {
        if (text == "off")
        {
            return 0;
        }

        var digits = text.EndsWith('%') ? text.AsSpan()[..^1] : text;
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent <= 100 ? percent : null;
    }
}
