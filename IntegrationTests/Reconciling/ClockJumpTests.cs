using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller;
using Wunderproxy.Controller.Journaling;

namespace Wunderproxy.IntegrationTests.Reconciling;

public sealed class ClockJumpTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Hash = new('a', 64);

    [Theory]
    [InlineData(3)]
    [InlineData(-3)]
    public void Time_that_was_noted_before_the_clock_was_set_moves_along(int hours)
    {
        var jump = new ClockJump(Noon.AddHours(hours), TimeSpan.FromHours(hours));

        Assert.Equal(Noon.AddHours(hours).AddMinutes(-1), jump.Move(Noon.AddMinutes(-1)));
        Assert.Equal(Noon.AddHours(hours).AddMinutes(10), jump.Move(Noon.AddMinutes(10)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-3)]
    public void Time_that_was_noted_since_the_clock_was_set_stays(int hours)
    {
        var now = Noon.AddHours(hours);

        Assert.Equal(now.AddSeconds(-1), new ClockJump(now, TimeSpan.FromHours(hours)).Move(now.AddSeconds(-1)));
    }

    [Fact]
    public void Time_that_passes_sets_no_clock()
    {
        var time = new FakeTimeProvider(Noon);
        var watch = new ClockWatch(time);

        time.Advance(TimeSpan.FromHours(2));

        Assert.Null(watch.Look());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-3)]
    public void Clock_that_is_set_is_noticed_once(int hours)
    {
        var time = new SetClock();
        var watch = new ClockWatch(time);

        time.Offset = TimeSpan.FromHours(hours);

        var jump = watch.Look();
        Assert.NotNull(jump);
        Assert.InRange((jump.By - time.Offset).Duration(), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Null(watch.Look());
    }

    [Fact]
    public void Journal_keeps_the_lengths_of_its_pauses_and_what_the_engine_dated()
    {
        var container = new ContainerRef(Hash, 1, "shop-1");
        var journal = new Journal
        {
            Active = new ActiveRelease(container, Noon.AddHours(-1), "id", Noon.AddHours(-1)),
            Candidates = [new Candidate(container, CandidateGoal.Active, Noon.AddMinutes(-1))],
            Drains = [new DrainingRelease(container, Noon.AddMinutes(-1), Noon.AddMinutes(1), Noon.AddMinutes(2))],
            Attempts = [new Attempts(Hash, 1, Noon.AddMinutes(-1), Noon.AddMinutes(1))],
            Deployments = [new Deployment { Id = "one", Kind = DeploymentKind.Deploy, Hash = Hash, AcceptedAt = Noon.AddMinutes(-1), Deadline = Noon.AddMinutes(9) }],
        };

        var moved = journal.MovedBy(new ClockJump(Noon.AddHours(-5), TimeSpan.FromHours(-5)));

        Assert.Equal(Noon.AddHours(-5).AddMinutes(1), moved.Drains[0].WarmUntil);
        Assert.Equal(Noon.AddHours(-5).AddMinutes(1), moved.Attempts[0].BackoffUntil);
        Assert.Equal(Noon.AddHours(-5).AddMinutes(9), moved.Deployments[0].Deadline);
        Assert.Equal(Noon.AddHours(-6), moved.Active!.Since);
        Assert.Equal((Noon.AddHours(-1), Noon.AddMinutes(-1)), (moved.Active.VerifiedStart, moved.Attempts[0].LastExit));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(-5)]
    public void Candidate_has_the_rest_of_its_time_from_the_start_of_its_container_on_and_all_of_it_where_that_isnt_known_to_run(int hours)
    {
        var container = new ContainerRef(Hash, 1, "shop-1");
        var journal = new Journal { Candidates = [new Candidate(container, CandidateGoal.Active, Noon.AddMinutes(-10))] };

        var moved = journal.MovedBy(new ClockJump(Noon.AddHours(hours), TimeSpan.FromHours(hours)), c => c == container ? Noon.AddMinutes(-1) : null);

        Assert.Equal(Noon.AddHours(hours).AddMinutes(-1), moved.Candidates[0].Since);
        Assert.Equal(Noon.AddHours(hours), journal.MovedBy(new ClockJump(Noon.AddHours(hours), TimeSpan.FromHours(hours)), _ => null).Candidates[0].Since);
    }

    [Fact]
    public void Journal_that_was_written_by_a_clock_that_was_ahead_counts_from_now()
    {
        var container = new ContainerRef(Hash, 1, "shop-1");
        var journal = new Journal { Drains = [new DrainingRelease(container, Noon, Noon.AddMinutes(1), Noon.AddMinutes(2))] };
        var now = Noon.AddHours(-5);

        Assert.Equal(now.AddMinutes(1), journal.AsOf(now).Drains[0].WarmUntil);
        Assert.Equal(journal, journal.AsOf(Noon.AddHours(5)));
    }

    private sealed class SetClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}
