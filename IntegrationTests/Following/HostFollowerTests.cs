using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Following;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Following;

public sealed class HostFollowerTests
{
    private const string ETag = "new";

    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Old = new('a', 64);
    private static readonly string New = new('b', 64);
    private static readonly string Other = new('c', 64);

    private static readonly StatusDocument Before = new FakeOperations().Status with
    {
        At = Now,
        Active = Old,
        Desired = new DesiredRelease(Old, "v1", Now.AddHours(-1)),
        Current = new CurrentStatus("old", null),
        Releases = [new ReleaseStatus { Hash = Old, Revision = "v1", Phase = ReleasePhase.Active }],
    };

    private static readonly DeploymentStatus Running = new()
    {
        Id = "deploy-1",
        Kind = DeploymentKind.Deploy,
        Hash = New,
        Revision = "v2",
        AcceptedAt = Now,
        Deadline = Now.AddMinutes(10),
    };

    private static readonly FailureEvidence Failure = new() { Class = FailureClass.Exited, Message = "v2 exited", At = Now, Log = ["no such table"] };

    private readonly HostFollower _follower = new("web1", new FollowGoal.Published(New, ETag), Before);

    [Fact]
    public void Nothing_is_new_until_the_host_has_read_the_document()
    {
        Assert.Empty(_follower.Take(Before));

        Assert.Null(_follower.End);
    }

    [Fact]
    public void Each_phase_is_told_once_in_the_order_in_which_it_was_entered()
    {
        var news = _follower.Take(Read(Running with { Phases = [new(ReleasePhase.Accepted, Now), new(ReleasePhase.Pulling, Now.AddSeconds(1))] }))
            .Concat(_follower.Take(Read(Running with { Phases = [new(ReleasePhase.Accepted, Now), new(ReleasePhase.Pulling, Now.AddSeconds(1)), new(ReleasePhase.Creating, Now.AddSeconds(2))] })))
            .ToList();

        Assert.Equal([NewsKind.Began, NewsKind.Phase, NewsKind.Phase, NewsKind.Phase], news.Select(one => one.News));
        Assert.Equal([ReleasePhase.Accepted, ReleasePhase.Pulling, ReleasePhase.Creating], news.Select(one => one.Phase).OfType<ReleasePhase>());
    }

    [Fact]
    public void What_keeps_a_host_from_going_on_is_told_once_and_again_when_it_returns()
    {
        var well = Before with { Conditions = [new Condition("StateDurable", true, "Written", "The state file is whole.", Now)] };
        var full = Before with { Conditions = [new Condition("StateDurable", false, "WriteFailed", "No space left on device.", Now), new Condition("LiveRestore", false, "Off", "It is off.", Now)] };

        var news = Assert.Single(_follower.Take(full));
        Assert.Equal((NewsKind.Hindered, "No space left on device."), (news.News, news.Message));
        Assert.Empty(_follower.Take(full));
        Assert.Empty(_follower.Take(well));
        Assert.Equal(NewsKind.Hindered, Assert.Single(_follower.Take(full)).News);
    }

    [Fact]
    public void Release_that_failed_and_is_tried_again_is_told_with_the_reason()
    {
        var waits = Read(Running) with { Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.BackingOff }], Plan = Before.Plan with { Reason = "Its image couldn't be pulled: no basic auth credentials." } };

        Assert.Equal("Its image couldn't be pulled: no basic auth credentials.", Assert.Single(_follower.Take(waits), one => one.News == NewsKind.Hindered).Message);
    }

    [Fact]
    public void Document_that_the_host_could_not_keep_is_told_with_the_reason()
    {
        var full = Before with { Conditions = [new Condition("ConfigurationAccepted", null, "NotRead", "current.json couldn't be kept on this host.", Now)] };

        Assert.Equal(NewsKind.Hindered, Assert.Single(_follower.Take(full)).News);
    }

    [Fact]
    public void Phases_that_a_restarted_controller_has_forgotten_are_not_told_again()
    {
        _follower.Take(Read(Running with { Phases = [new(ReleasePhase.Accepted, Now), new(ReleasePhase.Pulling, Now.AddSeconds(1))] }));

        var news = _follower.Take(Read(Running with { Phases = [new(ReleasePhase.Verifying, Now.AddSeconds(5))] }));

        Assert.Equal([ReleasePhase.Verifying], news.Select(one => one.Phase));
    }

    [Fact]
    public void Progress_is_told_when_it_has_changed_and_twice_a_second_at_most()
    {
        var half = new DeploymentProgress { PulledBytes = 1 << 20, TotalBytes = 2 << 20 };
        var pulling = Read(Running with { Progress = half }) with { Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.Pulling }] };

        Assert.Equal(half, Assert.Single(_follower.Take(pulling), one => one.News == NewsKind.Progress).Progress);
        Assert.Contains("waits for its image: 1.0 MiB of 2.0 MiB.", _follower.Doing, StringComparison.Ordinal);

        Assert.Empty(_follower.Take(pulling with { At = Now.AddSeconds(1) }));
        var whole = Running with { Progress = half with { PulledBytes = 2 << 20 } };
        Assert.Empty(_follower.Take(pulling with { At = Now.AddMilliseconds(499), Deployments = [whole] }));
        Assert.Equal(NewsKind.Progress, Assert.Single(_follower.Take(pulling with { At = Now.AddMilliseconds(500), Deployments = [whole] })).News);
    }

    [Fact]
    public void Release_that_serves_ends_it()
    {
        var last = _follower.Take(Read(Running with { End = DeploymentEnd.Succeeded, EndedAt = Now }) with { Active = New })[^1];

        Assert.Equal((FollowEnd.Serves, FollowEnd.Serves), (_follower.End, last.End));
    }

    [Fact]
    public void Failed_release_ends_it_with_the_reason_and_the_log()
    {
        var last = _follower.Take(Read(Running with { End = DeploymentEnd.Failed, Message = "v2 exited", Failure = Failure }))[^1];

        Assert.Equal((FollowEnd.Failed, "v2 exited"), (_follower.End, last.Message));
        Assert.Equal(["no such table"], last.Failure!.Log);
    }

    [Fact]
    public void Superseded_deployment_ends_it_with_the_one_that_is_wanted_now()
    {
        var last = _follower.Take(Read(Running with { End = DeploymentEnd.Superseded, Message = "A newer decision took its place." }) with { Desired = new(Other, "v3", Now) })[^1];

        Assert.Equal(FollowEnd.Superseded, _follower.End);
        Assert.Equal("A newer decision took its place. Wanted is v3 (cccccccccccc) now.", last.Message);
    }

    [Fact]
    public void Document_that_was_replaced_before_the_host_read_it_is_superseded()
    {
        _follower.Take(Before with { Current = new CurrentStatus("another", null), Desired = new(Other, "v3", Now) });

        Assert.Equal(FollowEnd.Superseded, _follower.End);
    }

    [Fact]
    public void Document_that_the_host_does_not_allow_is_refused_with_its_reason()
    {
        var last = _follower.Take(Before with { Current = new CurrentStatus(ETag, "Privileged is not allowed.") })[^1];

        Assert.Equal(FollowEnd.Refused, _follower.End);
        Assert.Contains("Privileged is not allowed.", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Release_that_served_already_ends_it_at_once()
    {
        var served = Before with { Active = New, Current = new(ETag, null), Desired = new(New, "v2", Now), Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.Active }] };
        var follower = new HostFollower("web1", new FollowGoal.Published(New, ETag), served);

        follower.Take(served);

        Assert.Equal(FollowEnd.Serves, follower.End);
    }

    [Fact]
    public void Release_that_failed_before_under_the_same_document_is_told_to_have_failed_and_how_to_try_it_again()
    {
        var rejected = Before with { Current = new(ETag, null), Desired = new(New, "v2", Now), Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.Rejected, Failure = Failure }] };
        var follower = new HostFollower("web1", new FollowGoal.Published(New, ETag), rejected);

        var last = follower.Take(rejected)[^1];

        Assert.Equal(FollowEnd.Failed, follower.End);
        Assert.Contains("wunderproxy launch bbbbbbbbbbbb", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Host_that_a_switch_holds_is_told_to_be_held()
    {
        var pinned = Before with { Current = new(ETag, null), Desired = new(New, "v2", Now), Pin = new(Old, "v1", Now) };
        var follower = new HostFollower("web1", new FollowGoal.Published(New, ETag), pinned);

        var last = follower.Take(pinned)[^1];

        Assert.Equal(FollowEnd.Refused, follower.End);
        Assert.Contains("wunderproxy switch bbbbbbbbbbbb", last.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deployment_of_the_same_release_from_before_is_not_taken_for_this_one()
    {
        var earlier = Running with { Id = "deploy-0", End = DeploymentEnd.Failed };
        var follower = new HostFollower("web1", new FollowGoal.Published(New, ETag), Before with { Deployments = [earlier] });

        follower.Take(Before with { Deployments = [earlier] });

        Assert.Null(follower.End);
    }

    [Fact]
    public void Probation_is_followed_to_its_end_where_that_is_wanted()
    {
        var follower = new HostFollower("web1", new FollowGoal.Published(New, ETag), Before, throughProbation: true);
        var succeeded = Read(Running with { End = DeploymentEnd.Succeeded }) with { Active = New };

        follower.Take(succeeded with { Releases = [new ReleaseStatus { Hash = New, Revision = "v2", Phase = ReleasePhase.Probation }] });
        Assert.Null(follower.End);

        follower.Take(succeeded with { Active = Old, Deployments = [Running with { End = DeploymentEnd.RolledBack, Failure = Failure }] });
        Assert.Equal(FollowEnd.RolledBack, follower.End);
    }

    [Fact]
    public void Launched_release_stands_by()
    {
        var launch = Running with { Id = "launch-1", Kind = DeploymentKind.Launch, End = DeploymentEnd.Succeeded, Message = "The release is healthy and stands by." };
        var follower = new HostFollower("web1", new FollowGoal.Ordered(New, "launch-1"));

        follower.Take(Before with { Deployments = [launch] });

        Assert.Equal(FollowEnd.StandsBy, follower.End);
    }

    [Fact]
    public void Host_that_is_away_for_a_moment_is_told_once_and_asked_on()
    {
        Assert.Equal([NewsKind.Lost], _follower.Miss("no answer").Select(one => one.News));
        Assert.Empty(_follower.Miss("no answer"));

        Assert.Equal([NewsKind.Found], _follower.Take(Before).Select(one => one.News));
        Assert.Null(_follower.End);
    }

    [Fact]
    public void Time_that_is_over_tells_a_deployment_that_goes_on_from_a_host_that_is_away()
    {
        _follower.Take(Before);
        Assert.Equal(FollowEnd.TimedOut, _follower.GiveUp(TimeSpan.FromSeconds(1)).End);

        var away = new HostFollower("web2", new FollowGoal.Published(New, ETag), Before);
        away.Miss("no answer");
        Assert.Equal(FollowEnd.Unreachable, away.GiveUp(TimeSpan.FromSeconds(1)).End);
    }

    private static StatusDocument Read(DeploymentStatus deployment) => Before with
    {
        Current = new CurrentStatus(ETag, null),
        Desired = new DesiredRelease(New, "v2", Now),
        Deployments = [deployment],
    };
}
