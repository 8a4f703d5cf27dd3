using System.Globalization;

namespace Wunderproxy.SampleApplication;

/// <summary>Parameters of a request's query.</summary>
internal static class Query
{
    public static long Number(this HttpContext context, string name, long otherwise) =>
        long.TryParse(context.Request.Query[name], CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    public static TimeSpan Milliseconds(this HttpContext context, string name, long otherwise) =>
        TimeSpan.FromMilliseconds(context.Number(name, otherwise));

    public static bool Flag(this HttpContext context, string name) => context.Request.Query[name] == "1";
}
