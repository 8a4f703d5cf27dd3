using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Pages;

/// <summary>Puts what happened into a page: <c>{request_id}</c>, <c>{status}</c>, <c>{title}</c>, <c>{detail}</c>. Each is escaped for HTML; other braces stay.</summary>
internal static class Placeholders
{
    /// <summary>Fills a page in one pass: what was put in is not looked at again.</summary>
    public static string Fill(string page, Problem problem, RequestId id)
    {
        var filled = new StringBuilder(page.Length + 256);
        var rest = page.AsSpan();
        while (rest.IndexOf('{') is >= 0 and var brace)
        {
            filled.Append(rest[..brace]);
            rest = rest[brace..];
            var end = rest.IndexOf('}');
            var value = end < 0 ? null : ValueOf(rest[1..end], problem, id);
            filled.Append(value is null ? "{" : HtmlEncoder.Default.Encode(value));
            rest = rest[(value is null ? 1 : end + 1)..];
        }

        return filled.Append(rest).ToString();
    }

    private static string? ValueOf(ReadOnlySpan<char> name, Problem problem, RequestId id) => name switch
    {
        "request_id" => id.ToString(),
        "status" => problem.Status.ToString(CultureInfo.InvariantCulture),
        "title" => problem.Title,
        "detail" => problem.Detail,
        _ => null,
    };
}
