using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Store;

public sealed class ObjectStoreNameTests
{
    [Theory]
    [InlineData("/var/lib/store", true)]
    [InlineData("./store", true)]
    [InlineData("../store", true)]
    [InlineData("stores/shop", true)]
    [InlineData(".", true)]
    [InlineData("..", true)]
    [InlineData("store", false)]
    [InlineData("my.bucket-1", false)]
    public void Value_with_a_slash_is_a_directory_any_other_a_bucket(string value, bool isDirectory) =>
        Assert.Equal(isDirectory, ObjectStore.IsDirectory(value));

    [Theory]
    [InlineData("http://user:secret@127.0.0.1:9")]
    [InlineData("ftp://127.0.0.1:9")]
    public void Unusable_endpoint_is_refused_without_repeating_it(string endpoint)
    {
        var refusal = Assert.Throws<ArgumentException>(() => ObjectStore.Open("bucket", new StoreOptions { Endpoint = new Uri(endpoint) }));

        Assert.DoesNotContain("secret", refusal.Message);
    }

    [Fact]
    public void Description_tells_bucket_and_endpoint()
    {
        using var bucket = (S3Store)ObjectStore.Open("bucket", new StoreOptions { Endpoint = new Uri("http://127.0.0.1:9/") });
        using var amazon = (S3Store)ObjectStore.Open("bucket", new StoreOptions { Region = "eu-west-1" });

        Assert.Equal("s3://bucket at http://127.0.0.1:9", bucket.Description);
        Assert.Equal("s3://bucket at Amazon S3", amazon.Description);
    }
}
