using System.Text;
using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class ContentHashTests
{
    private const string Sha256OfEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Md5OfEmpty = "d41d8cd98f00b204e9800998ecf8427e";

    [Fact]
    public void What_is_written_is_named_by_its_sha256() => Assert.Equal(Sha256OfEmpty, ContentHash.Of([]));

    [Theory]
    [InlineData(Sha256OfEmpty)]
    [InlineData(Md5OfEmpty)]
    public void Both_digests_are_checked_over_the_exact_bytes(string hash)
    {
        Assert.True(ContentHash.Matches(hash, []));
        Assert.False(ContentHash.Matches(hash, "\n"u8));
    }

    [Theory]
    [InlineData("")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e\n")]
    [InlineData("D41D8CD98F00B204E9800998ECF8427E")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427g")]
    [InlineData("d41d8cd98f00b204e9800998ecf842７e")]
    [InlineData("../../../../../../../etc/passwd0")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427")]
    [InlineData(null)]
    public void Anything_but_32_or_64_lower_case_hex_digits_is_no_hash_and_reaches_no_key(string? text)
    {
        Assert.False(ContentHash.IsValid(text));
        Assert.False(ContentHash.Matches(text, []));
        Assert.Throws<ArgumentException>(() => ContentHash.KeyFor("shop", text!));
    }

    [Fact]
    public void Key_is_made_of_prefix_and_hash() => Assert.Equal($"a/shop/container.{Md5OfEmpty}.json", ContentHash.KeyFor("a/shop", Md5OfEmpty));

    [Fact]
    public void One_changed_byte_is_a_mismatch_wherever_it_is()
    {
        var document = Encoding.UTF8.GetBytes("{\"Revision\":\"2f1c9e0\"}\n");
        var hash = ContentHash.Of(document);
        for (var i = 0; i < document.Length; i++)
        {
            document[i] ^= 1;
            Assert.False(ContentHash.Matches(hash, document));
            document[i] ^= 1;
        }

        Assert.True(ContentHash.Matches(hash, document));
    }
}
