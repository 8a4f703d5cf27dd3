using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using global::Docker.DotNet;

namespace Wunderproxy.Controller.Docker;

/// <summary>Reads the engine's errors: the status says little, so the text has to.</summary>
internal static partial class EngineFaults
{
    private const int LongestMessage = 600;

    private static readonly string[] NoImage = ["manifest unknown", "name unknown", "manifest for ", "no matching manifest"];

    private static readonly string[] NoAccess = ["unauthorized", "authentication required", "no basic auth credentials", "incorrect username or password", "access denied", "denied:"];

    private static readonly string[] Registry =
    [
        "toomanyrequests", "rate limit", "connection refused", "connection reset", "no such host", "no route to host", "network is unreachable", "i/o timeout", "timeout",
        "deadline exceeded", "EOF", "dial tcp", "TLS", "x509", "server gave HTTP response", "received unexpected HTTP status", "failed to register layer",
        "layer verification failed", "error pulling image configuration", "download failed", "digest", "checksum", "blob unknown", "unexpected status",
    ];

    /// <summary>The engine's own words: of an error body <c>{"message":"No such image: shop:1"}</c>, else the body.</summary>
    public static string TextOf(DockerApiException answer) => Clean(MessageIn(answer.ResponseBody));

    /// <summary>One line, not long, and without what an address may carry: <c>https://user:password@host/layer?signature=…</c>.</summary>
    public static string Clean(string? text)
    {
        var line = LineBreaks().Replace(text ?? "", " ").Trim();
        line = AddressQuery().Replace(AddressUser().Replace(line, "$1"), "$1?…");
        return line.Length <= LongestMessage ? line : line[..LongestMessage] + "…";
    }

    public static EngineFault Of(HttpStatusCode status, string text)
    {
        if (Says(text, "no space left on device"))
        {
            return EngineFault.NoSpace;
        }

        // Start with a taken host port: "… Bind for 0.0.0.0:80 failed: port is already allocated", or "… listen tcp4 0.0.0.0:80: bind: address already in use".
        if (Says(text, "port is already allocated") || Says(text, "bind: address already in use") || Says(text, "ports are not available"))
        {
            return EngineFault.PortTaken;
        }

        // Start with a taken fixed address: 403 "Address already in use".
        if (Says(text, "address already in use"))
        {
            return EngineFault.AddressTaken;
        }

        // Create with an option of a wrong type: 500 before Docker Engine 23, "json: cannot unmarshal string into Go struct field HostConfig.Memory of type int64".
        if (Says(text, "cannot unmarshal"))
        {
            return EngineFault.BadRequest;
        }

        return status switch
        {
            HttpStatusCode.BadRequest => EngineFault.BadRequest,
            HttpStatusCode.NotFound => EngineFault.NotFound,
            HttpStatusCode.Conflict => EngineFault.Conflict,
            HttpStatusCode.Forbidden when Says(text, "overlap") => EngineFault.Conflict,
            _ => EngineFault.EngineError,
        };
    }

    /// <summary>The fault of a pull; inside the stream there is no status at all.</summary>
    public static EngineFault OfPull(HttpStatusCode? status, string text) => true switch
    {
        _ when Says(text, "no space left on device") => EngineFault.NoSpace,
        _ when status is HttpStatusCode.BadRequest => EngineFault.BadRequest,
        _ when NoAccess.Any(words => Says(text, words)) => EngineFault.Unauthorized,
        _ when status is HttpStatusCode.NotFound || NoImage.Any(words => Says(text, words)) => EngineFault.NotFound,
        _ when Registry.Any(words => text.Contains(words, StringComparison.Ordinal)) => EngineFault.RegistryUnavailable,
        _ => EngineFault.EngineError,
    };

    public static bool Says(string text, string words) => text.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static string MessageIn(string? body)
    {
        try
        {
            using var json = JsonDocument.Parse(body ?? "");
            return json.RootElement.TryGetProperty("message", out var message) ? message.GetString() ?? "" : body ?? "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return body ?? "";
        }
    }

    [GeneratedRegex(@"\s*[\r\n]+\s*", RegexOptions.NonBacktracking)]
    private static partial Regex LineBreaks();

    [GeneratedRegex(@"(\w+://)[^\s/@""]+@", RegexOptions.NonBacktracking)]
    private static partial Regex AddressUser();

    [GeneratedRegex(@"(\w+://[^\s?""]+)\?[^\s""]*", RegexOptions.NonBacktracking)]
    private static partial Regex AddressQuery();
}
