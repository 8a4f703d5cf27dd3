using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Compressing;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>What is compressed, and what heads say then.</summary>
public sealed class CompressionRulesTests
{
    private static readonly Compression Usual = new();

    [Theory]
    [InlineData(null, nameof(ContentCoding.Identity))]
    [InlineData("", nameof(ContentCoding.Identity))]
    [InlineData("gzip", nameof(ContentCoding.Gzip))]
    [InlineData("X-Gzip", nameof(ContentCoding.Gzip))]
    [InlineData("gzip, deflate, br, zstd", nameof(ContentCoding.Brotli))]
    [InlineData("br;q=0.5, gzip;q=0.8", nameof(ContentCoding.Gzip))]
    [InlineData("br ; q=0, gzip ; Q=0.001", nameof(ContentCoding.Gzip))]
    [InlineData("gzip;q=0", nameof(ContentCoding.Identity))]
    [InlineData("identity, gzip;q=0.5", nameof(ContentCoding.Identity))]
    [InlineData("identity;q=0, gzip;q=0.1", nameof(ContentCoding.Gzip))]
    [InlineData("identity;q=0", nameof(ContentCoding.Identity))]
    [InlineData("*", nameof(ContentCoding.Brotli))]
    [InlineData("*;q=0", nameof(ContentCoding.Identity))]
    [InlineData("br;q=0, *", nameof(ContentCoding.Gzip))]
    [InlineData("gzip, *;q=0", nameof(ContentCoding.Gzip))]
    [InlineData("deflate, zstd", nameof(ContentCoding.Identity))]
    [InlineData("gzip;q=2", nameof(ContentCoding.Identity))]
    [InlineData("gzip;level=9", nameof(ContentCoding.Identity))]
    public void Coding_is_the_one_that_the_client_likes_best(string? accepted, string coding) => Assert.Equal(coding, AcceptedCodings.Best(accepted).ToString());

    [Fact]
    public void Compressed_answer_says_so_and_nothing_that_holds_for_the_other_bytes_only()
    {
        var context = Exchange(headers => (headers.ETag, headers.AcceptRanges, headers.Vary) = ("\"v1\"", "bytes", "Origin"));

        Assert.Equal(ContentCoding.Brotli, CompressionRules.Apply(context, Usual));

        var headers = context.Response.Headers;
        Assert.Equal(("br", "Origin, Accept-Encoding", "W/\"v1\""), (headers.ContentEncoding.ToString(), headers.Vary.ToString(), headers.ETag.ToString()));
        Assert.Equal((null, 0), (headers.ContentLength, headers.AcceptRanges.Count));
    }

    [Fact]
    public void Answer_that_could_have_been_compressed_says_that_others_may_get_it_otherwise_and_is_as_it_was()
    {
        var context = Exchange(headers => (headers.ETag, headers.AcceptRanges) = ("\"v1\"", "bytes"));
        context.Request.Headers.AcceptEncoding = "identity";

        Assert.Equal(ContentCoding.Identity, CompressionRules.Apply(context, Usual));

        var headers = context.Response.Headers;
        Assert.Equal(("", "Accept-Encoding", "\"v1\"", "bytes", 5000), (headers.ContentEncoding.ToString(), headers.Vary.ToString(), headers.ETag.ToString(), headers.AcceptRanges.ToString(), headers.ContentLength));
    }

    public static TheoryData<string, Action<IHeaderDictionary>> Untouched => new()
    {
        { "compressed already", headers => headers.ContentEncoding = "gzip" },
        { "another type", headers => headers.ContentType = "image/png" },
        { "no type", headers => headers.ContentType = default },
        { "small", headers => headers.ContentLength = 1023 },
        { "empty", headers => headers.ContentLength = 0 },
        { "a part", headers => headers.ContentRange = "bytes 0-4999/10000" },
        { "not to be transformed", headers => headers.CacheControl = "public, no-transform" },
        { "with a digest", headers => headers["Content-Digest"] = "sha-256=:abc:" },
        { "with trailers", headers => headers.Trailer = "X-Sum" },
        { "events", headers => headers.ContentType = "text/event-stream" },
    };

    [Theory]
    [MemberData(nameof(Untouched))]
    public void What_must_not_be_compressed_is_not_touched(string why, Action<IHeaderDictionary> change)
    {
        var context = Exchange(change);
        var before = context.Response.Headers.ToDictionary(field => field.Key, field => field.Value.ToString());

        Assert.True(CompressionRules.Apply(context, new Compression { Types = ["text/*"] }) == ContentCoding.Identity, why);

        Assert.Equal(before, context.Response.Headers.ToDictionary(field => field.Key, field => field.Value.ToString()));
    }

    [Theory]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(206)]
    public void Status_without_a_body_of_its_own_is_not_touched(int status)
    {
        var context = Exchange(_ => { });
        context.Response.StatusCode = status;

        Assert.Equal(ContentCoding.Identity, CompressionRules.Apply(context, Usual));
        Assert.Equal(0, context.Response.Headers.Vary.Count);
    }

    [Fact]
    public void Client_that_wants_nothing_transformed_gets_it_as_it_is()
    {
        var context = Exchange(_ => { });
        context.Request.Headers.CacheControl = "no-transform";

        Assert.Equal(ContentCoding.Identity, CompressionRules.Apply(context, Usual));
    }

    [Theory]
    [InlineData("W/\"v1\"", "W/\"v1\"")]
    [InlineData("\"v0\", W/\"v1\"", "W/\"v1\"")]
    [InlineData("\"v1\"", "\"v1\"")]
    [InlineData("W/\"v2\"", "\"v1\"")]
    public void Unchanged_answer_has_the_tag_under_which_the_client_knows_it(string known, string tag)
    {
        var context = Exchange(headers => headers.ETag = "\"v1\"");
        context.Response.StatusCode = 304;
        context.Request.Headers.IfNoneMatch = known;

        CompressionRules.Apply(context, Usual);

        Assert.Equal(tag, context.Response.Headers.ETag.ToString());
    }

    [Theory]
    [InlineData("Accept-Encoding", "Accept-Encoding")]
    [InlineData("*", "*")]
    [InlineData("accept-encoding, Cookie", "accept-encoding, Cookie")]
    public void Vary_that_says_it_already_stays_as_it_is(string vary, string expected)
    {
        var context = Exchange(headers => headers.Vary = vary);

        CompressionRules.Apply(context, Usual);

        Assert.Equal(expected, context.Response.Headers.Vary.ToString());
    }

    private static DefaultHttpContext Exchange(Action<IHeaderDictionary> change)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.AcceptEncoding = "gzip, deflate, br, zstd";
        context.Response.StatusCode = 200;
        context.Response.Headers.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentLength = 5000;
        change(context.Response.Headers);
        return context;
    }
}
