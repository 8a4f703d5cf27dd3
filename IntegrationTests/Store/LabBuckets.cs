using Amazon.Runtime;
using Amazon.S3.Model;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>Buckets of the lab's S3 server.</summary>
internal static class LabBuckets
{
    public static StoreOptions OptionsOf(LabHost lab) => new()
    {
        Endpoint = new Uri(lab.S3Endpoint),
        PathStyle = true,
        Credentials = new BasicAWSCredentials(lab.S3AccessKey, lab.S3SecretKey),
    };

    /// <summary>Creates a bucket that nobody else uses.</summary>
    public static async Task<string> CreateAsync(LabHost lab, CancellationToken cancellationToken)
    {
        using var connections = S3Client.CreateConnections();
        using var client = S3Client.Create(OptionsOf(lab), connections);
        var bucket = $"store-{Guid.NewGuid():N}";
        await client.PutBucketAsync(new PutBucketRequest { BucketName = bucket }, cancellationToken);
        return bucket;
    }
}
