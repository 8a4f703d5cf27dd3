using Wunderproxy.Contracts;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class PercentageTests
{
    [Theory]
    [InlineData("0%", 0)]
    [InlineData("1%", 0.01)]
    [InlineData("0.5%", 0.005)]
    [InlineData("100%", 1)]
    public void Number_with_a_percent_sign_is_read_as_a_share(string text, double expected)
    {
        Assert.True(Percentage.TryParse(text, out var share));
        Assert.Equal(expected, share, 12);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("%")]
    [InlineData("1")]
    [InlineData("-1%")]
    [InlineData("1 %")]
    [InlineData("1%%")]
    [InlineData("1e1%")]
    [InlineData("NaN%")]
    [InlineData("100.1%")]
    public void Everything_else_is_refused(string? text) => Assert.False(Percentage.TryParse(text, out _));

    [Theory]
    [InlineData(0, "0%")]
    [InlineData(0.01, "1%")]
    [InlineData(0.0620915, "6.21%")]
    [InlineData(1, "100%")]
    public void What_is_written_has_three_digits_that_count_and_can_be_read(double share, string expected)
    {
        Assert.Equal(expected, Percentage.Format(share));
        Assert.True(Percentage.TryParse(expected, out _));
    }
}
