using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Wunderproxy.Controller.Api;

/// <summary>The status page, <c>GET /</c>, with the files that it consists of, and the description of all calls, <c>GET /openapi.json</c>. Both are there before there is anything to tell.</summary>
internal static class PageCalls
{
    /// <summary>The page brings everything that it needs, and nobody else gets anything of it: no code within HTML, no other site, no frame, no form.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Folder = "/page/";

    private static readonly FrozenDictionary<string, string> MediaTypes = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".json"] = "application/json",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/", AdminCalls.ReadMethods, context => WriteAsync(context, "StatusPage/index.html"));
        routes.MapMethods("/openapi.json", AdminCalls.ReadMethods, context => WriteAsync(context, "openapi.json"));
        routes.MapMethods(Folder + "{file}", AdminCalls.ReadMethods, context => WriteAsync(context, $"StatusPage/{context.GetRouteValue("file")}"));
    }

    /// <summary>Whether a path can be answered before the Controller has looked around.</summary>
    public static bool AreAt(PathString path) => path.Value is "/" or "/openapi.json" || path.Value?.StartsWith(Folder, StringComparison.Ordinal) == true;

    private static async Task WriteAsync(HttpContext context, string name)
    {
        await using var resource = typeof(PageCalls).Assembly.GetManifestResourceStream(name);
        if (resource is null || !MediaTypes.TryGetValue(Path.GetExtension(name), out var mediaType))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var content = new byte[resource.Length];
        await resource.ReadExactlyAsync(content, context.RequestAborted);
        var headers = context.Response.Headers;
        (headers.ContentSecurityPolicy, headers["Referrer-Policy"], headers["Cross-Origin-Resource-Policy"]) = (ContentSecurityPolicy, "no-referrer", "same-origin");

        // The browser asks each time whether it has changed: after an upgrade of the Controller no part of the page is a former one.
        headers.CacheControl = "no-cache";
        headers.ETag = $"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\"";
        if (context.Request.Headers.IfNoneMatch == headers.ETag)
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await Answer.WriteAsync(context, StatusCodes.Status200OK, mediaType, content);
    }
}
