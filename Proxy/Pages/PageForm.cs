using System.Globalization;

namespace Wunderproxy.Proxy.Pages;

/// <summary>In which form a client gets the Proxy's own answers.</summary>
internal enum PageForm
{
    /// <summary>Two lines and the request's name, as for curl.</summary>
    Text,

    /// <summary>A page, as for browsers.</summary>
    Html,

    /// <summary>A problem document (RFC 9457), as for programs.</summary>
    Json,
}

/// <summary>Finds the form that a client likes best.</summary>
internal static class PageForms
{
    // Where a client likes several forms alike: those who say */* are programs for people.
    private static readonly (PageForm Form, string[] Types)[] Offers =
    [
        (PageForm.Text, ["text/plain"]),
        (PageForm.Html, ["text/html"]),
        (PageForm.Json, ["application/problem+json", "application/json"]),
    ];

    /// <summary>The form with the highest quality; among equals the one that is named most closely, then the one that is named first. Text, where nothing that is offered is accepted.</summary>
    /// <remarks>Source: RFC 9110, section 12.5.1. Of several ranges that fit a form the closest one counts.</remarks>
    /// <param name="accept">Value of <c>Accept</c>; absent: anything.</param>
    public static PageForm For(string? accept)
    {
        var ranges = (accept ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Range.Read).ToList();
        var liked = Offers.Select(offer => (offer.Form, Liking: LikingOf(offer.Types, ranges))).Where(offer => offer.Liking.Quality > 0).ToList();
        return liked.Count == 0 ? PageForm.Text
            : liked.OrderByDescending(offer => offer.Liking.Quality).ThenByDescending(offer => offer.Liking.Closeness).ThenBy(offer => offer.Liking.Place).First().Form;
    }

    private static Liking LikingOf(string[] types, List<Range> ranges) =>
        ranges.Select((range, place) => new Liking(range.Quality, types.Max(range.ClosenessTo), place)).Where(liking => liking.Closeness > 0)
            .OrderByDescending(liking => liking.Closeness).ThenByDescending(liking => liking.Quality).FirstOrDefault();

    private readonly record struct Liking(double Quality, int Closeness, int Place);

    private readonly record struct Range(string Type, double Quality)
    {
        // text/html;level=1;q=0.8
        public static Range Read(string text)
        {
            var parts = text.Split(';', StringSplitOptions.TrimEntries);
            var weight = Array.Find(parts, part => part.StartsWith("q=", StringComparison.OrdinalIgnoreCase));
            var quality = weight is null ? 1 : double.TryParse(weight.AsSpan(2), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var q) ? Math.Min(q, 1) : 0;
            return new Range(parts[0], quality);
        }

        public int ClosenessTo(string type) => Type.Equals(type, StringComparison.OrdinalIgnoreCase) ? 3
            : Type.EndsWith("/*", StringComparison.Ordinal) && Type.Length > 3 && type.StartsWith(Type[..^1], StringComparison.OrdinalIgnoreCase) ? 2
            : Type is "*/*" ? 1
            : 0;
    }
}
