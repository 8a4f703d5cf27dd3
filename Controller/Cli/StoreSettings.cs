using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary>Where an application's documents are.</summary>
internal sealed record StoreSettings
{
    /// <summary>Name of an S3 bucket, or absolute path of a directory.</summary>
    public required string Bucket { get; init; }

    /// <summary>Prefix of the application's keys, without slash at its ends.</summary>
    public required string Prefix { get; init; }

    /// <summary>An S3-compatible store; absent: AWS.</summary>
    public Uri? S3Endpoint { get; init; }

    /// <summary>Whether the bucket is part of the path instead of the host name.</summary>
    public required bool S3PathStyle { get; init; }

    /// <summary>Opens the store for somebody who begins it: S3 isn't contacted yet, a directory is created where it is absent.</summary>
    /// <exception cref="StoreException">The directory couldn't be created.</exception>
    public IObjectStore Open(TimeProvider time, TimeSpan? poll = null) => Open(time, poll, creates: true);

    /// <summary>Opens the store for somebody who only reads, or whom hosts are to follow that use it already: what is absent is a wrong name.</summary>
    /// <exception cref="StoreException">The directory doesn't exist.</exception>
    public IObjectStore OpenExisting(TimeProvider time) => Open(time, null, creates: false);

    private IObjectStore Open(TimeProvider time, TimeSpan? poll, bool creates)
    {
        var options = new StoreOptions { Endpoint = S3Endpoint, PathStyle = S3PathStyle, CreateDirectory = creates, Time = time };
        return ObjectStore.Open(Bucket, poll is { } interval ? options with { PollInterval = interval } : options);
    }

    /// <summary>Reads the settings; errors are the reader's.</summary>
    public static StoreSettings Read(SettingReader reader, string bucket, string prefix) => new()
    {
        Bucket = reader.Argument("BUCKET", bucket, SettingParsers.Bucket)!,
        Prefix = reader.Argument("PREFIX", prefix, SettingParsers.Prefix)!,
        S3Endpoint = reader.Optional(RunOptions.S3Endpoint, SettingParsers.Endpoint),
        S3PathStyle = reader.Required(RunOptions.S3PathStyle, SettingParsers.Switch),
    };
}
