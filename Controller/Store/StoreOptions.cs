using Amazon.Runtime;

namespace Wunderproxy.Controller.Store;

/// <summary>How a store is reached and watched.</summary>
internal sealed record StoreOptions
{
    /// <summary>URL of an S3-compatible server, <c>http</c> or <c>https</c>, without credentials in it; absent: Amazon S3.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Whether the bucket is named in the path instead of the host name; most S3-compatible servers want that.</summary>
    public bool PathStyle { get; init; }

    /// <summary>Region that requests are signed for; absent: <c>AWS_REGION</c>, else the profile's, else <c>us-east-1</c>.</summary>
    public string? Region { get; init; }

    /// <summary>Credentials; absent: the standard chain (environment, profile, container, instance).</summary>
    public AWSCredentials? Credentials { get; init; }

    /// <summary>Longest time between two looks at an object; S3 takes ± 20 % of it, so that hosts don't ask in step.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Limit of one call, body included; of the opening only where a stream is handed out.</summary>
    public TimeSpan CallDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether a directory that is absent is created.</summary>
    public bool CreateDirectory { get; init; }

    /// <summary>Clock of deadlines and intervals.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Source of the jitter; used under a lock.</summary>
    public Random Jitter { get; init; } = new();
}
