using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public sealed class ImageReferenceTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("shop", "docker.io", "shop", "latest")]
    [InlineData("shop:1", "docker.io", "shop", "1")]
    [InlineData("team/shop:1", "docker.io", "team/shop", "1")]
    [InlineData("localhost/shop", "localhost", "localhost/shop", "latest")]
    [InlineData("localhost:8080/shop", "localhost:8080", "localhost:8080/shop", "latest")]
    [InlineData("localhost:8080/shop:2f1c9e0", "localhost:8080", "localhost:8080/shop", "2f1c9e0")]
    [InlineData("r.example/a/b_c:v1.2-rc", "r.example", "r.example/a/b_c", "v1.2-rc")]
    [InlineData("r.example/shop@" + Digest, "r.example", "r.example/shop", Digest)]
    [InlineData("r.example/shop:1@" + Digest, "r.example", "r.example/shop", Digest)]
    public void Reference_is_taken_apart(string reference, string registry, string repository, string tagOrDigest)
    {
        var parts = ImageReference.Parse(reference);
        Assert.Equal((registry, repository, tagOrDigest), (parts.Registry, parts.Repository, parts.TagOrDigest));
    }

    [Theory]
    [InlineData("")]
    [InlineData("shop:")]
    [InlineData("shop:a b")]
    [InlineData("../containers/c1")]
    [InlineData("a/../b")]
    [InlineData("shop?force=1")]
    [InlineData("shop#1")]
    [InlineData("shop%2f")]
    [InlineData("r.example/")]
    [InlineData("shop\n")]
    [InlineData("shop@sha256:12")]
    public void What_is_no_reference_is_refused(string reference) =>
        Assert.Equal(EngineFault.BadRequest, Assert.Throws<EngineException>(() => ImageReference.Parse(reference)).Fault);
}
