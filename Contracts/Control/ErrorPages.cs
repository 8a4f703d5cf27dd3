using System.Globalization;

namespace Wunderproxy.Contracts.Control;

/// <summary>An application's own pages for browsers, in place of the Proxy's, where a request ends in an error.</summary>
/// <remarks>
/// <c>{request_id}</c>, <c>{status}</c>, <c>{title}</c> and <c>{detail}</c> in a page stand for the request's name, the status, and what happened in few words and in a sentence.
/// </remarks>
public sealed record ErrorPages
{
    /// <summary>Most pages of one application.</summary>
    public const int MaxPages = 32;

    /// <summary>Size of the largest page: 256 KiB of UTF-8.</summary>
    public const int MaxPageBytes = 256 * 1024;

    /// <summary>Size of all pages together: 1 MiB of UTF-8.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>
    /// HTML pages by status from 400 to 599, such as <c>502</c>, or by class, <c>4xx</c> or <c>5xx</c>; a status counts before its class. In a launch configuration a text that begins with a
    /// slash is the path of a page that the application offers: it is fetched before traffic moves to the release. The Proxy gets pages only.
    /// </summary>
    public IReadOnlyDictionary<string, string> Pages { get; set; } = new Dictionary<string, string>();

    /// <summary>Whether the application's own answers with such a status are replaced, too, where the client accepts HTML; all but 401, which carries a challenge.</summary>
    public bool ReplaceAnswers { get; set; }

    /// <inheritdoc/>
    public bool Equals(ErrorPages? other) => other is not null && ReplaceAnswers == other.ReplaceAnswers && Pages.Count == other.Pages.Count
        && Pages.All(page => other.Pages.GetValueOrDefault(page.Key) == page.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(ReplaceAnswers, Pages.Count);

    /// <summary>Whether a text names a status or a class.</summary>
    public static bool IsKey(string key) =>
        key is "4xx" or "5xx" || (key is [_, _, _] && int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var status) && status is >= 400 and <= 599);

    /// <summary>Whether the value of a page in a launch configuration is a path.</summary>
    public static bool IsPath(string page) => page.StartsWith('/');

    /// <summary>The page for a status; absent: there is none.</summary>
    public string? PageFor(int status) => Pages.Count == 0 ? null
        : Pages.GetValueOrDefault(status.ToString(CultureInfo.InvariantCulture)) ?? Pages.GetValueOrDefault($"{status / 100}xx");
}
