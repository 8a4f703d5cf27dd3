using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Wunderproxy.SampleApplication;

/// <summary>How one instance behaves, from its environment variables.</summary>
internal sealed record Settings
{
    /// <summary><c>VERSION</c>: what it answers with, also in the header <c>X-Version</c>.</summary>
    public required string Version { get; init; }

    /// <summary><c>PORT</c>: where it listens, on every address.</summary>
    public required int Port { get; init; }

    /// <summary><c>PROTOCOL</c>: <c>h2c</c> for HTTP/2 without TLS and nothing else; otherwise HTTP/1.1.</summary>
    public required HttpProtocols Protocols { get; init; }

    /// <summary><c>HEALTH</c>: <c>ok</c>, <c>hang</c>, or the status code that the health check answers.</summary>
    public required string Health { get; init; }

    /// <summary><c>HEALTH_DELAY_MS</c>: how long each answer to the health check takes.</summary>
    public required TimeSpan HealthDelay { get; init; }

    /// <summary><c>HEALTHY_AFTER_MS</c>: for so long after its start the health check answers 503.</summary>
    public required TimeSpan HealthyAfter { get; init; }

    /// <summary><c>START_DELAY_MS</c>: how long it runs before it listens.</summary>
    public required TimeSpan StartDelay { get; init; }

    /// <summary><c>EXIT_AFTER_MS</c>: exits by itself so long after it began to listen; absent: never.</summary>
    public required TimeSpan? ExitAfter { get; init; }

    /// <summary><c>EXIT_CODE</c>: of an exit that was asked for.</summary>
    public required int ExitCode { get; init; }

    /// <summary><c>FAIL_EVERY</c>: each so many-th greeting has status 500; zero: none.</summary>
    public required int FailEvery { get; init; }

    /// <summary><c>CRASH_ON_START=1</c>: exits before it listens.</summary>
    public required bool CrashOnStart { get; init; }

    /// <summary><c>IGNORE_SIGTERM=1</c>: only SIGKILL ends it.</summary>
    public required bool IgnoreSigterm { get; init; }

    /// <summary><c>SHUTDOWN_MS</c>: how long requests in flight may take after SIGTERM.</summary>
    public required TimeSpan Shutdown { get; init; }

    /// <summary><c>ALLOCATE_MB</c>: memory that it takes before it listens.</summary>
    public required int AllocateMegabytes { get; init; }

    /// <summary><c>LOG_LINES</c>: numbered lines that it writes before anything else.</summary>
    public required int LogLines { get; init; }

    public static Settings FromEnvironment() => new()
    {
        Version = Text("VERSION", "dev"),
        Port = Number("PORT", 9292),
        Protocols = Text("PROTOCOL", "") == "h2c" ? HttpProtocols.Http2 : HttpProtocols.Http1,
        Health = Text("HEALTH", "ok"),
        HealthDelay = Milliseconds("HEALTH_DELAY_MS", 0),
        HealthyAfter = Milliseconds("HEALTHY_AFTER_MS", 0),
        StartDelay = Milliseconds("START_DELAY_MS", 0),
        ExitAfter = Text("EXIT_AFTER_MS", "").Length > 0 ? Milliseconds("EXIT_AFTER_MS", 0) : null,
        ExitCode = Number("EXIT_CODE", 3),
        FailEvery = Number("FAIL_EVERY", 0),
        CrashOnStart = Text("CRASH_ON_START", "0") == "1",
        IgnoreSigterm = Text("IGNORE_SIGTERM", "0") == "1",
        Shutdown = Milliseconds("SHUTDOWN_MS", 30_000),
        AllocateMegabytes = Number("ALLOCATE_MB", 0),
        LogLines = Number("LOG_LINES", 0),
    };

    private static string Text(string name, string otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : otherwise;

    private static int Number(string name, int otherwise) =>
        int.Parse(Text(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

    private static TimeSpan Milliseconds(string name, int otherwise) => TimeSpan.FromMilliseconds(Number(name, otherwise));
}
