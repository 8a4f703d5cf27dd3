using Microsoft.Extensions.Logging;

namespace Wunderproxy.Controller.Docker;

/// <summary>What the engine's client has to say.</summary>
internal static partial class EngineLog
{
    [LoggerMessage(200, LogLevel.Debug, "Reached Docker Engine {Version} at {Address}, speaking API {ApiVersion}")]
    public static partial void Reached(this ILogger logger, string version, string address, Version apiVersion);

    [LoggerMessage(201, LogLevel.Debug, "{Call} ended as {Fault} after {ElapsedMs} ms")]
    public static partial void Failed(this ILogger logger, string call, EngineFault fault, double elapsedMs);

    [LoggerMessage(202, LogLevel.Debug, "Pulled {Image} in {ElapsedMs} ms")]
    public static partial void Pulled(this ILogger logger, string image, double elapsedMs);

    [LoggerMessage(203, LogLevel.Warning, "Got no credentials for {Registry} from {Helper}: {Reason}. The pull goes on without credentials")]
    public static partial void HelperFailed(this ILogger logger, string registry, string helper, string reason);

    [LoggerMessage(204, LogLevel.Warning, "Couldn't read {File}: {Reason}. Pulls go on without credentials")]
    public static partial void ConfigUnreadable(this ILogger logger, string file, string reason);

    [LoggerMessage(205, LogLevel.Debug, "Opened the event stream of {Address}")]
    public static partial void Watching(this ILogger logger, string address);
}
