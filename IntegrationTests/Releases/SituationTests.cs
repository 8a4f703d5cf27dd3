using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>The questions that the rows ask.</summary>
public sealed class SituationTests
{
    private readonly World _world = new();

    [Fact]
    public void Container_is_served_only_in_the_run_and_at_the_address_that_the_Proxy_has()
    {
        _world.Deploy("a");
        var container = _world.ContainerOf("a");
        var situation = _world.Situation();

        Assert.True(situation.IsServed(container));
        Assert.False(situation.IsServed(container with { Id = "other" }));
        Assert.False(situation.IsServed(container with { StartedAt = _world.Now.AddHours(1) }));
        Assert.False(situation.IsServed(container with { Address = "172.30.0.9:9292" }));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(0, 1, true)]
    [InlineData(1, 1, true)]
    public void Container_is_in_use_while_requests_or_streams_run_on_it(long requests, long streams, bool isInUse)
    {
        _world.Deploy("a");
        _world.Proxy = _world.Proxy! with { Targets = [.. _world.Proxy.Targets.Select(t => t with { InFlight = requests, Streams = streams })] };
        var container = _world.ContainerOf("a");

        Assert.Equal(isInUse, _world.Situation().IsInUse(container));
        Assert.False(_world.Situation().IsInUse(container with { Id = "other" }));
    }

    [Fact]
    public void Container_may_be_in_use_while_the_Proxy_is_away_and_isnt_where_the_Proxy_has_never_heard_of_the_application()
    {
        _world.Deploy("a");
        var container = _world.ContainerOf("a");
        _world.Proxy = null;
        Assert.False(_world.Situation().IsInUse(container));

        _world.ProxyIsAway = true;

        Assert.True(_world.Situation().IsInUse(container));
    }

    [Fact]
    public void Failures_of_a_subject_count_from_a_moment_on()
    {
        var effect = new Effect.Pull(World.Hash("a"), "image-a");
        _world.Fail(effect, Outcome.Transient);
        var situation = _world.Situation();

        Assert.Single(situation.FailuresOf("image image-a", _world.Now));
        Assert.Empty(situation.FailuresOf("image image-a", _world.Now.AddTicks(1)));
        Assert.Empty(situation.FailuresOf("image image-b", _world.Now));
    }

    [Fact]
    public void Effect_waits_until_its_subject_is_free()
    {
        var effect = new Effect.Pull(World.Hash("a"), "image-a");
        var situation = _world.Situation(new Effect.RemoveImage("image-a"));

        Assert.Null(situation.Try("Provide", "It is missing", effect));
        Assert.Equal(("It is missing", null), situation.Wait);
        Assert.NotNull(situation.Try("Provide", "It is missing", new Effect.Pull(World.Hash("b"), "image-b")));
    }

    [Fact]
    public void Effect_that_failed_waits_for_its_next_try()
    {
        var effect = new Effect.Pull(World.Hash("a"), "image-a");
        _world.Fail(effect, Outcome.Transient);
        var situation = _world.Situation();

        Assert.Null(situation.Try("Provide", "It is missing", effect));
        Assert.Equal(("It is missing. it was so", _world.Now.AddSeconds(1)), situation.Wait);

        _world.Wait(TimeSpan.FromSeconds(1));
        Assert.Equal(effect, _world.Situation().Try("Provide", "It is missing", effect)!.Effect);
    }

    [Fact]
    public void First_reason_and_earliest_moment_are_the_ones_that_count()
    {
        var situation = _world.Situation();

        situation.Note("first", _world.Now.AddSeconds(2));
        situation.Note("second", _world.Now.AddSeconds(1));
        situation.Note("third", _world.Now.AddSeconds(3));
        situation.Note("fourth");

        Assert.Equal(("first", _world.Now.AddSeconds(1)), situation.Wait);
    }

    [Theory]
    [InlineData(ContainerState.Created, Readiness.Unverified, false, false)]
    [InlineData(ContainerState.Running, Readiness.Unverified, false, false)]
    [InlineData(ContainerState.Running, Readiness.Ready, false, false)]
    [InlineData(ContainerState.Running, Readiness.Unready, false, true)]
    [InlineData(ContainerState.Exited, Readiness.Unready, false, false)]
    [InlineData(ContainerState.Exited, Readiness.Ready, true, true)]
    [InlineData(ContainerState.Paused, Readiness.Ready, false, true)]
    [InlineData(ContainerState.Leaving, Readiness.Ready, false, true)]
    internal void Active_release_has_failed_where_it_is_down_or_unready_by_its_own_doing(ContainerState state, Readiness readiness, bool exitedByItself, bool hasFailed)
    {
        _world.Deploy("a");
        _world.Change("a", c => c with { State = state, ExitedByItself = exitedByItself, Verdict = c.Verdict with { State = readiness } });

        Assert.Equal(hasFailed, _world.Situation().ActiveFailed);
    }

    [Fact]
    public void Active_release_that_was_started_again_has_failed_from_its_first_failed_probe_until_it_is_ready()
    {
        _world.Deploy("a");
        _world.Change("a", c => c with { Verdict = Verdict.Unverified with { LastFailure = ProbeFailure.Refused } });
        Assert.True(_world.Situation().ActiveFailed);

        _world.Change("a", c => c with { Verdict = c.Verdict with { State = Readiness.Ready } });

        Assert.False(_world.Situation().ActiveFailed);
    }

    [Fact]
    public void Active_release_has_failed_where_its_container_is_gone_but_not_where_there_is_no_active_release()
    {
        Assert.False(_world.Situation().ActiveFailed);
        _world.Deploy("a");

        _world.RemoveContainersOf("a");

        Assert.True(_world.Situation().ActiveFailed);
    }

    [Fact]
    public void Release_that_was_rejected_or_given_up_is_not_wanted()
    {
        _world.Deploy("a");
        var decision = _world.Journal.Desired!;
        Assert.Equal(World.Hash("a"), _world.Situation().Wanted);

        _world.Journal = _world.Journal with { Desired = decision with { GivenUp = true } };
        Assert.Null(_world.Situation().Wanted);

        _world.Journal = _world.Journal with { Desired = decision };
        _world.Journal = _world.Journal.WithRejection(World.Hash("a"), new FailureEvidence { Class = FailureClass.Timeout, Message = "slow", At = _world.Now });
        Assert.Null(_world.Situation().Wanted);
    }

    [Theory]
    [InlineData(1, true, true)]
    [InlineData(0, true, false)]
    [InlineData(1, false, false)]
    public void Release_that_serves_is_rolled_out_anew_only_where_that_was_forced_after_it_became_active(long ticks, bool force, bool isNeeded)
    {
        _world.Deploy("a");

        _world.Journal = _world.Journal with { Pin = new Decision(World.Hash("a"), null, _world.Journal.Active!.Since.AddTicks(ticks), force) };

        Assert.Equal(isNeeded, _world.Situation().NeedsRollout);
    }

    [Fact]
    public void Container_whose_stop_was_begun_is_not_ready_in_that_run()
    {
        _world.Deploy("a");
        var container = _world.ContainerOf("a");

        _world.Journal = _world.Journal with { Stopping = [new StoppingRun("other", container.StartedAt), new StoppingRun(container.Id, _world.Now.AddHours(1))] };
        Assert.True(Assert.Single(_world.Situation().Containers).IsReady);

        _world.Journal = _world.Journal with { Stopping = [new StoppingRun(container.Id, container.StartedAt)] };
        Assert.False(Assert.Single(_world.Situation().Containers).IsReady);
        Assert.True(_world.Situation().IsStopping(container));

        _world.Change("a", c => c with { State = ContainerState.Exited });
        Assert.False(_world.Situation().IsStopping(_world.ContainerOf("a")));
    }

    [Fact]
    public void Snapshot_needs_configuration_address_and_start_of_its_target()
    {
        _world.Deploy("a");
        var container = _world.ContainerOf("a");
        var (situation, journal) = (_world.Situation(), _world.Journal);

        Assert.NotNull(Snapshots.Of(situation, journal, container, 1));
        Assert.Null(Snapshots.Of(situation, journal, container with { Address = null }, 1));
        Assert.Null(Snapshots.Of(situation, journal, container with { StartedAt = null }, 1));
        Assert.Null(Snapshots.Of(situation, journal, container with { Ref = container.Ref with { Hash = World.Hash("b") } }, 1));
    }

    [Fact]
    public void Snapshot_gives_the_replaced_release_the_time_to_drain_that_its_own_configuration_sets()
    {
        var drain = new DrainSpec { Timeout = TimeSpan.FromMinutes(5), StreamTimeout = TimeSpan.FromMinutes(7) };
        _world.Deploy("a", c => c with { Drain = drain });

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo("b"));

        Assert.Equal((drain.Timeout, drain.StreamTimeout), (route.Snapshot.DrainTimeout, route.Snapshot.StreamDrainTimeout));
    }

    [Fact]
    public void Snapshot_says_how_long_requests_wait_for_the_release_and_who_answers_its_health_check_as_its_configuration_sets()
    {
        _world.Deploy("a");

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo(
            "b", c => c with { Hold = new HoldSpec { Timeout = TimeSpan.FromSeconds(3) }, HealthCheck = new HealthCheckSpec { InMaintenance = HealthInMaintenance.Healthy }, Buffering = new Buffering { Answers = false }, Compression = new Compression { MinSize = 1 } }));

        Assert.Equal((TimeSpan.FromSeconds(3), HealthInMaintenance.Healthy), (route.Snapshot.HoldTimeout, route.Snapshot.HealthInMaintenance));
        Assert.Equal((new Buffering { Answers = false }, new Compression { MinSize = 1 }), (route.Snapshot.Buffering, route.Snapshot.Compression));
        Assert.Equal(TimeSpan.FromSeconds(10), Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0).HoldTimeout);
    }

    [Fact]
    public void Snapshot_has_the_limits_of_its_target()
    {
        _world.Deploy("a", c => c with { Limits = new Limits { MaxRequestBody = 5 } });

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo("b", c => c with { Limits = new Limits { MaxRequestBody = 7 } }));

        Assert.Equal(7, route.Snapshot.Limits.MaxRequestBody);
        Assert.Equal(5, Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0).Limits.MaxRequestBody);
    }

    [Fact]
    public void Snapshot_says_what_is_wanted_of_clients_over_tls_as_the_configuration_of_its_target_sets()
    {
        var tls = new TlsSettings { Hsts = new Hsts { MaxAgeDays = 30 }, ClientCertificates = ClientCertificates.Optional };
        _world.Deploy("a");

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo("b", c => c with { Tls = tls }));

        Assert.Equal(tls, route.Snapshot.Tls);
        Assert.Null(Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0).Tls);
    }

    [Fact]
    public void Snapshot_has_the_error_pages_of_the_release_that_serves_by_it()
    {
        _world.Deploy("a");
        var pages = new ErrorPages { Pages = new Dictionary<string, string> { ["502"] = "/errors/502.html" }, ReplaceAnswers = true };

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo("b", c => c with { ErrorPages = pages }));

        Assert.Equal(pages, route.Snapshot.ErrorPages);
        Assert.Empty(Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal, null, 0).ErrorPages.Pages);
    }

    [Fact]
    public void Snapshot_says_by_what_protocol_the_release_is_asked_and_probed()
    {
        _world.Deploy("a");

        var route = Assert.IsType<Effect.Route>(_world.BeginSwitchTo("b", c => c with { Protocol = ApplicationProtocol.H2c }));

        Assert.Equal((ApplicationProtocol.H2c, ApplicationProtocol.H2c), (route.Snapshot.Target?.Protocol, route.Snapshot.Target?.Probe.Protocol));
    }

    [Fact]
    public void Snapshot_shows_the_page_of_the_application_while_maintenance_is_up()
    {
        _world.Deploy("a");
        var page = new MaintenancePage();
        var situation = new Situation(_world.Observe() with { MaintenancePage = page }, _world.Journal, _world.Now, World.Settings);

        Assert.Same(page, Snapshots.WithTargetAsItIs(situation, _world.Journal with { Maintenance = true }, null, 0).Maintenance);
        Assert.NotNull(Snapshots.WithTargetAsItIs(_world.Situation(), _world.Journal with { Maintenance = true }, null, 0).Maintenance);
        Assert.Null(Snapshots.WithTargetAsItIs(situation, _world.Journal, null, 0).Maintenance);
    }
}
