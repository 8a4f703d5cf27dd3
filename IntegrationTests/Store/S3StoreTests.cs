using Amazon.Runtime;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>The S3 store against a real server, in a bucket of each test's own.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class S3StoreTests(LabHost lab) : ObjectStoreTests
{
    private const string Key = "shop/current.json";

    private readonly StoreOptions _options = LabBuckets.OptionsOf(lab);
    private string _bucket = "";

    public override async ValueTask InitializeAsync() => _bucket = await LabBuckets.CreateAsync(lab, Cancellation);

    [Fact]
    public async Task Missing_bucket_is_an_error_not_an_absent_document()
    {
        using var store = S3Store.Open("absent-bucket", _options);

        var failures = new[]
        {
            await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Key, null, 1000, Cancellation)),
            await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation)),
            await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.Absent, Cancellation)),
            await Assert.ThrowsAsync<StoreException>(() => store.ListAsync("", 10, Cancellation)),
        };

        Assert.All(failures, failure => Assert.Equal(StoreFault.NotFound, failure.Fault));
        Assert.All(failures, failure => Assert.Contains("s3://absent-bucket/", failure.Message));
    }

    [Fact]
    public async Task Wrong_secret_and_unknown_key_are_denied_without_being_repeated()
    {
        var known = lab.S3AccessKey;
        foreach (var credentials in (AWSCredentials[])[new BasicAWSCredentials(known, "wrong-secret"), new BasicAWSCredentials("unknown-key", "wrong-secret")])
        {
            using var store = S3Store.Open(_bucket, _options with { Credentials = credentials });

            var failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Key, null, 1000, Cancellation));

            Assert.Equal(StoreFault.AccessDenied, failure.Fault);
            Assert.Contains("Correct access key and secret key", failure.Message);
            Assert.DoesNotContain("wrong-secret", failure.ToString());
        }
    }

    [Fact]
    public async Task Key_of_any_printable_text_is_written_read_and_listed()
    {
        const string Odd = "shop/a b+c%2f&=?#ä€.json";
        var store = Open();

        await store.PutAsync(Odd, Bytes("odd"), PutCondition.None, Cancellation);

        Assert.Equal("odd", Text(await store.GetAsync(Odd, null, 1000, Cancellation)));
        Assert.Equal([Odd], await store.ListAsync("shop/a b", 10, Cancellation));
    }

    [Fact]
    public async Task Listing_goes_beyond_one_page()
    {
        var store = Open();
        await Parallel.ForEachAsync(Enumerable.Range(0, 1005), Cancellation, async (number, token) =>
            await store.PutAsync($"many/{number:D5}", Bytes("x"), PutCondition.None, token));

        Assert.Equal(1005, (await store.ListAsync("many/", 5000, Cancellation)).Count);
        Assert.Equal(1003, (await store.ListAsync("many/", 1003, Cancellation)).Count);
    }

    [Fact]
    public async Task Credentials_of_the_environment_are_found()
    {
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", lab.S3AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", lab.S3SecretKey);
        try
        {
            var store = Open(options => options with { Credentials = null });
            Assert.NotNull(await store.PutAsync(Key, Bytes("x"), PutCondition.Absent, Cancellation));
        }
        finally
        {
            Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", null);
            Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", null);
        }
    }

    internal override IObjectStore OpenStore(Func<StoreOptions, StoreOptions> change) => ObjectStore.Open(_bucket, change(_options));

    internal override async Task<string> CreateOtherBucketAsync(string key, byte[] content)
    {
        var bucket = await LabBuckets.CreateAsync(lab, Cancellation);
        using var store = S3Store.Open(bucket, _options);
        await store.PutAsync(key, content, PutCondition.None, Cancellation);
        return bucket;
    }
}
