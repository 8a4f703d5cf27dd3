using System.Diagnostics;
using Amazon.Runtime;
using Amazon.S3.Model;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>The lab's S3 server: how it is reached, buckets in it, and its faults.</summary>
internal static class LabBuckets
{
    public static string AccessKey => Required("WUNDERPROXY_LAB_S3_ACCESS_KEY");

    public static string SecretKey => Required("WUNDERPROXY_LAB_S3_SECRET_KEY");

    public static StoreOptions Options => new()
    {
        Endpoint = new Uri(Required("WUNDERPROXY_LAB_S3")),
        PathStyle = true,
        Credentials = new BasicAWSCredentials(AccessKey, SecretKey),
    };

    /// <summary>Creates a bucket that nobody else uses.</summary>
    public static async Task<string> CreateAsync(CancellationToken cancellationToken)
    {
        using var connections = S3Client.CreateConnections();
        using var client = S3Client.Create(Options, connections);
        var bucket = $"store-{Guid.NewGuid():N}";
        await client.PutBucketAsync(new PutBucketRequest { BucketName = bucket }, cancellationToken);
        return bucket;
    }

    /// <summary>Switches a fault of the server on or off, such as <c>hang</c> and <c>unhang</c>.</summary>
    public static async Task FaultAsync(string name, CancellationToken cancellationToken)
    {
        var command = Required("WUNDERPROXY_LAB_S3_FAULT").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var process = Process.Start(command[0], [.. command[1..], name]);
        await process.WaitForExitAsync(cancellationToken);
        Assert.True(process.ExitCode == 0, $"fault '{name}' couldn't be switched");
    }

    private static string Required(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"{variable} is not set: this test needs the lab's S3 server. Run ./test.sh, which starts it.");
}
