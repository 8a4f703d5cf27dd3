using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

public sealed class BackoffTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(3, 2)]
    [InlineData(4, 4)]
    [InlineData(7, 32)]
    [InlineData(8, 60)]
    [InlineData(1000, 60)]
    public void Active_release_is_started_again_at_once_and_then_after_delays_that_double_up_to_a_minute(int crashes, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.OfCrash(crashes));

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(2, 0.5)]
    [InlineData(8, 32)]
    [InlineData(9, 60)]
    public void Release_on_its_way_is_started_again_after_delays_that_double_from_a_quarter_of_a_second(int attempts, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Backoff.OfAttempt(attempts));

    [Theory]
    [InlineData(1, 0.5, 1)]
    [InlineData(1, 0, 0.8)]
    [InlineData(1, 1, 1.2)]
    [InlineData(3, 0.5, 4)]
    [InlineData(7, 0.5, 60)]
    public void Effect_is_tried_again_after_delays_that_double_and_are_spread_by_a_fifth(int failures, double jitter, double seconds) =>
        Assert.Equal(seconds, Backoff.OfEffect(failures, jitter).TotalSeconds, 3);
}
