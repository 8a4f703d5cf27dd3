using System.Collections.Concurrent;
using System.Globalization;
using Wunderproxy.Proxy.Forwarding;

namespace Wunderproxy.Proxy.Pages;

/// <summary>The page that browsers get where the application has none of its own: small, complete in itself, by day and by night.</summary>
internal static class BuiltInPage
{
    // Nobody's patience is shorter, and a crowd that comes back at once helps nobody.
    private const int ShortestRefresh = 5;

    private const string Style = """
        :root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--paper:#fff;--line:#d1d9e0}
        @media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9198a1;--paper:#0d1117;--line:#3d444d}}
        body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);font:1.125rem/1.6 system-ui,sans-serif}
        main{box-sizing:border-box;width:100%;max-width:36rem;padding:2rem 1.5rem}
        h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}
        footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.875rem;overflow-wrap:anywhere}
        """;

    // One for each status and pause that it was asked for, of which there are few. Where an application is away, everybody gets one of them.
    private static readonly ConcurrentDictionary<(int Status, int? Refresh), string> Written = new();

    /// <summary>The page, with placeholders.</summary>
    /// <param name="problem">What happened.</param>
    /// <param name="canRefresh">Whether asking again by itself asks for the same and changes nothing.</param>
    public static string For(Problem problem, bool canRefresh) =>
        Written.GetOrAdd((problem.Status, canRefresh ? problem.RetryAfterSeconds : null), static page => Write(page.Status, page.Refresh));

    private static string Write(int status, int? pause)
    {
        var refresh = pause is { } seconds ? string.Create(CultureInfo.InvariantCulture, $"<meta http-equiv=\"refresh\" content=\"{Math.Max(seconds, ShortestRefresh)}\">\n") : "";
        var hint = refresh.Length > 0 ? "\n<p>This page tries again by itself.</p>" : "";
        return $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            {{refresh}}<title>{title}</title>
            <style>
            {{Style}}
            </style>
            </head>
            <body>
            <main>
            <h1>{{Heading(status)}}</h1>
            <p>{detail}</p>{{hint}}
            <footer>{{(status < 400 ? "" : "Error ")}}{status} &middot; If you ask for help, name this request: {request_id}</footer>
            </main>
            </body>
            </html>

            """;
    }

    private static string Heading(int status) => status switch
    {
        < 400 => "This has moved",
        404 => "There is nothing here",
        413 => "This is too large",
        408 => "That took too long",
        < 500 => "This request can&#39;t be answered",
        503 => "This site will be back in a moment",
        504 => "This site didn&#39;t answer in time",
        _ => "This site can&#39;t be reached at the moment",
    };
}
