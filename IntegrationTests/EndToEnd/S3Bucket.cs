using Amazon.Runtime;
using Amazon.S3;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Buckets in the lab's S3 server.</summary>
internal static class S3Bucket
{
    /// <summary>A name that no bucket has.</summary>
    public static string NewName(string name) => $"{name}-{Guid.NewGuid():N}";

    /// <summary>Makes a bucket of its own for a test.</summary>
    public static async Task<string> CreateAsync(LabHost lab, string name)
    {
        var bucket = NewName(name);
        await MakeAsync(lab, bucket);
        return bucket;
    }

    /// <summary>Makes the bucket.</summary>
    public static async Task MakeAsync(LabHost lab, string bucket)
    {
        using var client = new AmazonS3Client(
            Credentials(lab), new AmazonS3Config { ServiceURL = lab.S3Endpoint, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await client.PutBucketAsync(bucket);
    }

    public static IObjectStore Open(LabHost lab, string bucket) => ObjectStore.Open(
        bucket, new StoreOptions { Endpoint = new Uri(lab.S3Endpoint), PathStyle = true, Credentials = Credentials(lab) });

    private static BasicAWSCredentials Credentials(LabHost lab) => new(lab.S3AccessKey, lab.S3SecretKey);
}
