using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Contracts.Launching;

/// <summary>What the texts of a launch configuration must look like.</summary>
internal static partial class TextRules
{
    private const int MatchTimeoutMs = 1_000;

    public const int LongestRevision = 128;
    public const int LongestPath = 2048;
    public const int LongestHeaderValue = 4096;
    public const int LongestExpectedBody = 4096;
    public const int LongestHost = 255;
    public const int LongestBucket = 255;
    public const int LongestKey = 1024;
    private const int TokenHashDigits = 64;

    // These describe the probe's connection itself; with a second value of them, application and probe could disagree about where the request ends.
    private static readonly string[] HeadersOfTheProbe =
        ["Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Keep-Alive", "Proxy-Connection", "Expect"];

    public static Flaw? Revision(string text) => text switch
    {
        { Length: > LongestRevision } => new($"It has {text.Length} characters.", $"Write at most {LongestRevision}."),
        _ when text.Any(char.IsControl) => new("It contains a control character.", "Write it on one line."),
        _ => null,
    };

    /// <summary>The Go tool's form: the slash at the beginning may be left out.</summary>
    public static Flaw? LoosePath(string text) => text.Length == 0 ? null : Path(text.StartsWith('/') ? text : "/" + text);

    public static Flaw? Path(string text) => text switch
    {
        { Length: > LongestPath } => new($"It has {text.Length} characters.", $"Write at most {LongestPath}."),
        _ when HasScheme().IsMatch(text) || text.StartsWith("//", StringComparison.Ordinal) =>
            new("It names a scheme or a host.", "Write the path only, such as \"/status\"; the probe goes to the container itself."),
        not ['/', ..] => new("It does not begin with a slash.", "Write a path such as \"/status\"."),
        _ when text.Contains('#', StringComparison.Ordinal) => new("It contains a fragment, which HTTP doesn't send.", "Remove '#' and what follows."),
        _ when text.AsSpan().IndexOfAnyExceptInRange('\u0021', '\u007E') is >= 0 and var at =>
            new($"Character {at + 1} of the path is U+{(int)text[at]:X4}, which is not allowed there.", "Escape it, such as %20 for a space."),
        _ => null,
    };

    public static Flaw? Host(string text) => HostName().IsMatch(text) && text.Length <= LongestHost
        ? null
        : new("It is not the value of a Host header.", "Write a host name, with a port if need be, such as \"shop.example\" or \"shop.example:8080\".");

    public static Flaw? RoutedHost(string text) => RoutedHostName().IsMatch(text) && text.Length <= LongestHost
        ? null
        : new("It is not the name of a host.", "Write a name without a port, such as \"shop.example\", or \"*.shop.example\" for every name below it.");

    public static Flaw? MediaType(string text) => MediaTypeOrAll().IsMatch(text) && text.Length <= LongestHost
        ? null
        : new("It is not a media type.", "Write a type without parameters, such as \"text/html\", or \"text/*\" for all that begin so.");

    public static Flaw? PathPrefix(string text) => PathSegments().IsMatch(text) && text.Length <= LongestPath
        ? null
        : new("It is not the beginning of a path.", "Write whole segments with a slash before each, such as \"/shop\", or \"/\" for every path.");

    public static Flaw? HeaderName(string text) => text switch
    {
        _ when !HeaderToken().IsMatch(text) => new("It is not the name of a header.", "Write letters, digits and dashes, such as \"X-Health-Token\"."),
        _ when HeadersOfTheProbe.Contains(text, StringComparer.OrdinalIgnoreCase) =>
            new("The probe sets this header itself.", "Remove it; for the host name there is HealthCheck.Host."),
        _ => null,
    };

    public static Flaw? HeaderValue(string text) => text switch
    {
        { Length: > LongestHeaderValue } => new($"It has {text.Length} characters.", $"Write at most {LongestHeaderValue}."),
        _ when text.Any(c => c is (< ' ' and not '\t') or '\u007F' or > '\u00FF') =>
            new("It contains a line break or another character that a header can't carry.", "Write it on one line, in printable characters up to U+00FF."),
        _ => null,
    };

    public static Flaw? ExpectedStatus(string text) => StatusRanges.TryParse(text, out _)
        ? null
        : new($"\"{SourceParser.Shown(text)}\" is not a list of statuses.", "Write codes and ranges from 200 to 599, such as \"200-299,304\".");

    public static Flaw? ExpectedBody(string text) => text.Length is > 0 and <= LongestExpectedBody
        ? null
        : new($"It has {text.Length} characters.", $"Write 1 to {LongestExpectedBody}, or leave the property out for any body.");

    public static Flaw? Signal(string text) => KnownSignal().IsMatch(text)
        ? null
        : new($"\"{SourceParser.Shown(text)}\" is not a signal.", "Write its name or number, such as \"SIGTERM\", \"USR1\" or \"15\".");

    public static Flaw? Bucket(string text) => text.Length is > 0 and <= LongestBucket && !HasOddCharacter(text) && !text.Contains('/', StringComparison.Ordinal) && text is not ("." or "..")
        ? null
        : new("It is not the name of a bucket.", "Write its name alone, without \"s3://\" and slashes, or leave the property out for the Controller's own bucket.");

    public static Flaw? Key(string text) => text.Length is > 0 and <= LongestKey && !HasOddCharacter(text) && !text.Split('/').Any(part => part is "" or "." or "..")
        ? null
        : new("It is not the key of an object.", "Write it without a slash at its beginning or end and without empty, \".\" or \"..\" parts, such as \"images/shop-2f1c9e0.tar.gz\".");

    public static Flaw? ErrorPageKey(string text) => ErrorPages.IsKey(text)
        ? null
        : new("It is neither a status nor a class of errors.", "Write a status from 400 to 599, such as \"502\", or \"4xx\" or \"5xx\".");

    public static Flaw? ErrorPage(string text) => text switch
    {
        "" => new("It is empty.", "Write a page, or a path such as \"/errors/502.html\"."),
        _ when ErrorPages.IsPath(text) => Path(text),
        _ when Encoding.UTF8.GetByteCount(text) > ErrorPages.MaxPageBytes => new("It is larger than 256 KiB.", "Write a smaller page."),
        _ => null,
    };

    public static Flaw? TokenHash(string text) => text.Length == TokenHashDigits && ContentHash.IsValid(text)
        ? null
        : new("It is not the hash of a token.", "Write the 64 lower-case hex digits that printf %s TOKEN | sha256sum says, never the token itself.");

    public static Flaw? Network(string text) => IPNetwork.TryParse(text, out _)
        ? null
        : new("It is not a network.", "Write an address and the length of its prefix, such as \"10.0.0.0/8\" or \"2001:db8::1/128\".");

    public static Flaw? FieldName(string text) => HeaderToken().IsMatch(text) && text.Length <= LongestHost
        ? null
        : new("It is not the name of a header.", "Write letters, digits and dashes, such as \"X-Customer\".");

    public static bool IsTag(string text) => ImageTag().IsMatch(text);

    private static bool HasOddCharacter(string text) => text.Any(c => char.IsControl(c) || c == '\\');

    [GeneratedRegex(@"\A/?[A-Za-z][A-Za-z0-9+.-]*://", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex HasScheme();

    [GeneratedRegex(@"\A([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex HostName();

    [GeneratedRegex(@"\A(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex RoutedHostName();

    [GeneratedRegex(@"\A(?!.*/\.{1,2}(/|\z))(/|(/[!""$-.0->@-~]+)+)\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex PathSegments();

    [GeneratedRegex(@"\A[A-Za-z0-9!#$%&'*+.^_`|~-]+\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex HeaderToken();

    [GeneratedRegex(@"\A[A-Za-z0-9!#$%&'+.^_`|~-]+/(\*|[A-Za-z0-9!#$%&'+.^_`|~-]+)\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex MediaTypeOrAll();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex ImageTag();

    [GeneratedRegex(
        @"\A((SIG)?(HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|USR1|SEGV|USR2|PIPE|ALRM|TERM|STKFLT|TTIN|TTOU|URG|XCPU|XFSZ|VTALRM|PROF|WINCH|IO|PWR|SYS|RTMIN(\+([1-9]|1[0-5]))?|RTMAX(-([1-9]|1[0-4]))?)|[1-9]|[1-5][0-9]|6[0-4])\z",
        RegexOptions.CultureInvariant, MatchTimeoutMs)]
    private static partial Regex KnownSignal();
}
