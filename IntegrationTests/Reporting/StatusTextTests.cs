using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Reporting;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Reporting;

public sealed class StatusTextTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Old = new('a', 64);
    private static readonly string New = new('b', 64);

    private static readonly StatusDocument Serving = new FakeOperations().Status with
    {
        At = Now,
        Active = Old,
        Desired = new DesiredRelease(Old, "2f1c9e0", Now.AddHours(-3)),
        Releases = [new ReleaseStatus { Hash = Old, Revision = "2f1c9e0", Phase = ReleasePhase.Active, Since = Now.AddHours(-3).AddMinutes(-12), Address = "172.30.0.3:9292", LastProbe = "200 OK" }],
    };

    [Fact]
    public void What_serves_and_what_is_wanted_are_told_first_with_since_when()
    {
        var text = TextOf(Serving);

        Assert.StartsWith("shop at web1, 2026-11-27 12:00:00Z\n", text, StringComparison.Ordinal);
        Assert.Contains("  Serves  2f1c9e0 (aaaaaaaaaaaa) for 3h 12m\n", text, StringComparison.Ordinal);
        Assert.Contains("  Wanted  2f1c9e0 (aaaaaaaaaaaa) by current.json, for 3h 0m\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Wait_is_told_with_what_is_done_why_and_until_when()
    {
        var text = TextOf(Serving with { Plan = new PlanStatus("Unhealthy", "The candidate isn't healthy yet", Now.AddSeconds(98), ["Pull shop:v2"]) });

        Assert.Contains("  Now     Pull shop:v2. The candidate isn't healthy yet. It looks again at 12:01:38Z, in 1m 38s, at the latest.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Canary_is_told_with_what_its_release_has_got()
    {
        var traffic = new TargetTraffic
        {
            Target = new Target { Release = New, ContainerId = "c", StartedAt = Now, Address = "172.30.0.4:9292", Probe = new HealthProbe() },
            InFlight = 0,
            Streams = 0,
            Traffic = new Traffic { Requests = 42, TotalSeconds = 1, BytesIn = 0, BytesOut = 0 },
            Standby = new StandbyTraffic { Previews = 2, Canary = 40, SentBack = 1 },
        };
        var text = TextOf(Serving with { Canary = new CanaryStatus(New, 10), Releases = [.. Serving.Releases, new ReleaseStatus { Hash = New, Revision = "5e6f7a8", Phase = ReleasePhase.Standby, Traffic = traffic }] });

        Assert.Contains("  Canary  10 % of the clients go to 5e6f7a8 (bbbbbbbbbbbb) while it stands by: wunderproxy canary off ends it\n", text, StringComparison.Ordinal);
        Assert.Contains("2 previews, 40 requests of the canary, 1 sent back", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_release_is_told_with_its_reason_and_the_end_of_its_log()
    {
        var failure = new FailureEvidence { Class = FailureClass.Exited, Message = "Release 5e6f7a8 exited with code 1 before it was healthy. 2f1c9e0 serves on.", At = Now, Log = ["no such table"] };
        var text = TextOf(Serving with { Releases = [.. Serving.Releases, new ReleaseStatus { Hash = New, Revision = "5e6f7a8", Phase = ReleasePhase.Rejected, Failure = failure }] });

        Assert.Contains("Why 5e6f7a8 (bbbbbbbbbbbb) failed\n  Release 5e6f7a8 exited with code 1 before it was healthy. 2f1c9e0 serves on.\n  | no such table\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Reason_of_a_failure_is_told_once_and_not_after_a_later_deployment_has_succeeded()
    {
        const string Reason = "Release 5e6f7a8 exited with code 1 before it was healthy.";
        var failed = Serving with
        {
            Conditions = [new Condition("Ready", false, "Exited", Reason, Now)],
            Releases = [.. Serving.Releases, new ReleaseStatus { Hash = New, Revision = "5e6f7a8", Phase = ReleasePhase.Rejected, Failure = new FailureEvidence { Class = FailureClass.Exited, Message = Reason, At = Now } }],
        };
        var text = TextOf(failed);

        Assert.Equal(2, text.Split(Reason).Length);
        Assert.Contains("Ready is false for 0 ms: 5e6f7a8 (bbbbbbbbbbbb) failed, as is told below.\n", text, StringComparison.Ordinal);
        var later = new DeploymentStatus { Id = "2", Kind = DeploymentKind.Deploy, Hash = Old, Revision = "2f1c9e0", AcceptedAt = Now, Deadline = Now, End = DeploymentEnd.Succeeded, EndedAt = Now.AddSeconds(1) };
        Assert.DoesNotContain("Why 5e6f7a8", TextOf(failed with { Deployments = [later] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Releases_that_failed_long_ago_take_one_line()
    {
        var failures = Enumerable.Range(1, 5).Select(number => new ReleaseStatus
        {
            Hash = new string((char)('0' + number), 64),
            Revision = $"f{number}",
            Phase = ReleasePhase.Rejected,
            Failure = new FailureEvidence { Class = FailureClass.Exited, Message = "It exited.", At = Now.AddMinutes(-number) },
        });
        var text = TextOf(Serving with { Releases = [.. Serving.Releases, .. failures] });

        Assert.Contains("  f3       333333333333  Rejected", text, StringComparison.Ordinal);
        Assert.Contains("  and before: f4 (444444444444) Exited, f5 (555555555555) Exited\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Document_that_can_not_be_kept_is_told()
    {
        var text = TextOf(Serving with { Conditions = [new Condition("ConfigurationAccepted", null, "NotRead", "shop/current.json couldn't be kept on this host.", Now.AddMinutes(-5))] });

        Assert.Contains("Not well\n  ConfigurationAccepted is unknown for 5m 0s: shop/current.json couldn't be kept on this host.\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_conditions_that_want_attention_are_told()
    {
        var text = TextOf(Serving with
        {
            Conditions =
            [
                new Condition("Ready", true, "Serving", "The desired release serves.", Now),
                new Condition("RollbackAvailable", false, "NoFormerRelease", "No former release is kept.", Now),
                new Condition("StoreReachable", false, "Unreachable", "s3://deployments isn't reached. What runs goes on.", Now.AddMinutes(-5)),
            ],
        });

        Assert.Contains("Not well\n  StoreReachable is false for 5m 0s: s3://deployments isn't reached. What runs goes on.\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("No former release", text, StringComparison.Ordinal);
        Assert.DoesNotContain("desired release serves", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Pause_and_maintenance_are_told_with_what_ends_them()
    {
        Assert.Contains("wunderproxy resume", TextOf(Serving with { Paused = true }), StringComparison.Ordinal);
        Assert.Contains("wunderproxy maintenance down", TextOf(Serving with { MaintenanceMode = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void Switch_that_holds_the_host_is_told()
    {
        Assert.Contains("  Pinned  5e6f7a8 (bbbbbbbbbbbb) by a switch, for 1m 0s; until current.json changes\n", TextOf(Serving with { Pin = new DesiredRelease(New, "5e6f7a8", Now.AddMinutes(-1)) }), StringComparison.Ordinal);
    }

    [Fact]
    public void Host_on_which_nothing_serves_says_so() => Assert.Contains("  Serves  nothing\n", TextOf(Serving with { Active = null, Releases = [] }), StringComparison.Ordinal);

    [Theory]
    [InlineData(0.25, "250 ms")]
    [InlineData(4.2, "4.2 s")]
    [InlineData(598, "9m 58s")]
    [InlineData(11_520, "3h 12m")]
    [InlineData(1_047_600, "12d 3h")]
    [InlineData(-1, "0 s")]
    public void Length_of_time_is_told_in_its_two_largest_units(double seconds, string words) => Assert.Equal(words, Words.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Control_characters_of_an_application_never_reach_the_terminal()
    {
        using var output = new StringWriter();

        new LineWriter(output, isTerminal: true, hasColours: false).Write(new Line("| \e[2Jgone\u009b"));

        Assert.Equal("| ?[2Jgone?" + Environment.NewLine, output.ToString());
    }

    [Fact]
    public void Line_that_passes_is_replaced_by_the_next_one_and_never_wraps()
    {
        using var output = new StringWriter();
        var lines = new LineWriter(output, isTerminal: true, hasColours: false);

        lines.Pass("waits for health", 8);
        lines.Write(new Line("serves"));

        Assert.Equal("\e[2K\rwaits f\e[2K\rserves" + Environment.NewLine, output.ToString());
    }

    [Fact]
    public void Nothing_passes_where_the_output_is_no_terminal()
    {
        using var output = new StringWriter();

        new LineWriter(output, isTerminal: false, hasColours: false).Pass("waits", 80);

        Assert.Equal("", output.ToString());
    }

    private static string TextOf(StatusDocument status) => string.Concat(StatusText.Of(status, "web1").Select(line => line.Text + "\n"));
}
