using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.IntegrationTests.Contracts;

/// <summary>Documents as the Go tool left them in a bucket, byte for byte: one line, fields in the order of its structs, &lt;, &gt; and &amp; escaped, a final newline.</summary>
public sealed class GoldenTests
{
    private const string First = "59f56cb46df19d11413f8801dfdf9653";
    private const string Second = "11056d7bc921d26fd0c811e501cdcb46";

    [Theory]
    [InlineData(First)]
    [InlineData(Second)]
    public void Published_document_is_the_one_that_its_name_says(string hash)
    {
        var bytes = Golden($"container.{hash}.json");
        Assert.True(ContentHash.Matches(hash, bytes));
        Assert.False(ContentHash.Matches(hash, bytes.AsSpan().TrimEnd((byte)'\n')));
        bytes[^3] ^= 1;
        Assert.False(ContentHash.Matches(hash, bytes));
    }

    [Fact]
    public void Published_document_is_read_with_everything_in_it()
    {
        var it = Valid($"container.{First}.json");
        Assert.Equal(("2f1c9e0", "/status", 9292, false), (it.Revision, it.HealthPath(), it.ContainerPort, it.ForceReload));
        Assert.Equal("localhost:8080/shop:2f1c9e0", it.ImageReference(8080, "shop"));
        Assert.Equal("BANNER=<b>buy & save</b>", it.ContainerConfig.GetProperty("Env")[1].GetString());
        Assert.Equal(536870912, it.HostConfig!.Value.GetProperty("Memory").GetInt32());
    }

    [Fact]
    public void Current_document_is_the_latest_published_one_whole()
    {
        Assert.Equal(Golden($"container.{Second}.json"), Golden("current.json"));
        var it = Valid("current.json");
        Assert.Equal(("91ab77d", true), (it.Revision, it.ForceReload));
        Assert.Null(it.HostConfig);
    }

    [Fact]
    public void History_is_read_with_its_nanoseconds_and_offsets()
    {
        var entries = History.Read(Golden("history.json")).Entries;
        Assert.Equal([First, Second], entries.Select(e => e.Hash));
        Assert.Equal(("2f1c9e0", "Zoë <zoe@example.org>"), (entries[0].Revision, entries[0].DeployedBy));
        Assert.Equal(new DateTimeOffset(2015, 6, 1, 12, 34, 56, TimeSpan.FromHours(2)).AddTicks(1_234_567), entries[0].DeployedAt);
        Assert.Equal(new DateTimeOffset(2015, 6, 2, 8, 0, 0, TimeSpan.Zero), entries[1].DeployedAt);
    }

    private static LaunchConfiguration Valid(string name)
    {
        var result = LaunchConfigurationReader.Read(Golden(name));
        Assert.Equal("", result.Describe());
        return result.Configuration!;
    }

    private static byte[] Golden(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Contracts", "Golden", name + ".golden"));
}
