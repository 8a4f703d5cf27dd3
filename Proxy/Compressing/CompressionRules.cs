using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.SlowClients;

namespace Wunderproxy.Proxy.Compressing;

/// <summary>Which answers are compressed, and what their heads say then.</summary>
internal static class CompressionRules
{
    private static readonly string[] Digests = ["Content-Digest", "Repr-Digest", "Digest", "Content-MD5"];

    /// <summary>Decides on an answer, and makes its head say so. That it could have been compressed is said in any case, to caches.</summary>
    /// <param name="context">The request, and the answer's head.</param>
    /// <param name="compression">What is compressed.</param>
    public static ContentCoding Apply(HttpContext context, Compression compression)
    {
        var (request, response) = (context.Request, context.Response);
        if (response.StatusCode == StatusCodes.Status304NotModified)
        {
            NameAsTheClientDoes(request.Headers.IfNoneMatch, response.Headers);
            return ContentCoding.Identity;
        }

        if (!IsCompressible(request, response, compression))
        {
            return ContentCoding.Identity;
        }

        AddVary(response.Headers);
        var coding = AcceptedCodings.Best(request.Headers.AcceptEncoding);
        if (coding != ContentCoding.Identity)
        {
            Encode(response.Headers, coding);
        }

        return coding;
    }

    private static bool IsCompressible(HttpRequest request, HttpResponse response, Compression compression) =>
        response.StatusCode is >= 200 and not (StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status206PartialContent)
        && response.Headers is var headers
        && (headers.ContentLength is not { } length || (length > 0 && length >= compression.MinSize))
        && headers.ContentType is [{ } type] && !BodyKinds.GoesAtOnce(type) && IsOfTypes(type, compression.Types)
        && (headers.ContentEncoding.Count | headers.ContentRange.Count | headers.Trailer.Count) == 0
        && !SaysNoTransform(headers.CacheControl) && !SaysNoTransform(request.Headers.CacheControl)
        && !Array.Exists(Digests, headers.ContainsKey);

    // text/html; charset=utf-8
    private static bool IsOfTypes(ReadOnlySpan<char> type, IReadOnlyList<string> types)
    {
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        foreach (var one in types)
        {
            if (one.EndsWith("/*", StringComparison.Ordinal) ? type.StartsWith(one.AsSpan(..^1), StringComparison.OrdinalIgnoreCase) : type.Equals(one, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool SaysNoTransform(StringValues cacheControl) =>
        cacheControl.Count > 0 && cacheControl.ToString().Contains("no-transform", StringComparison.OrdinalIgnoreCase);

    // Source: RFC 9110, section 12.5.5.
    private static void AddVary(IHeaderDictionary headers)
    {
        var vary = headers.Vary.ToString();
        if (vary != "*" && !vary.Contains("Accept-Encoding", StringComparison.OrdinalIgnoreCase))
        {
            headers.Vary = vary.Length == 0 ? "Accept-Encoding" : vary + ", Accept-Encoding";
        }
    }

    // Its bytes are others than those that the application would give parts of, and may differ from one time to the next. Source: RFC 9110, section 8.8.1.
    private static void Encode(IHeaderDictionary headers, ContentCoding coding)
    {
        headers.ContentEncoding = coding == ContentCoding.Brotli ? "br" : "gzip";
        headers.ContentLength = null;
        headers.AcceptRanges = default;
        if (headers.ETag is [{ } tag] && tag.StartsWith('"'))
        {
            headers.ETag = "W/" + tag;
        }
    }

    // A client that got the answer compressed knows its tag as a weak one.
    private static void NameAsTheClientDoes(StringValues known, IHeaderDictionary headers)
    {
        if (headers.ETag is [{ } tag] && tag.StartsWith('"') && known.ToString().Contains("W/" + tag, StringComparison.Ordinal))
        {
            headers.ETag = "W/" + tag;
        }
    }
}
