using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1500", 1500)]
    [InlineData("512KiB", 524_288)]
    [InlineData("10MiB", 10_485_760)]
    [InlineData("1024GiB", ByteSize.Largest)]
    public void Bytes_and_whole_numbers_with_a_unit_are_read(string text, long expected)
    {
        Assert.True(ByteSize.TryParse(text, out var bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("MiB")]
    [InlineData("-1")]
    [InlineData("1.5MiB")]
    [InlineData("10 MiB")]
    [InlineData("10MB")]
    [InlineData("10mib")]
    [InlineData("10iB")]
    [InlineData("10MiBKiB")]
    [InlineData("1025GiB")]
    [InlineData("9223372036854775807")]
    [InlineData("99999999999999999999")]
    public void Everything_else_is_refused(string? text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1000, "1000")]
    [InlineData(1536, "1536")]
    [InlineData(10_485_760, "10MiB")]
    public void What_is_written_is_short_and_reads_as_the_same(long bytes, string expected)
    {
        Assert.Equal(expected, ByteSize.Format(bytes));
        Assert.True(ByteSize.TryParse(expected, out var read));
        Assert.Equal(bytes, read);
    }
}
