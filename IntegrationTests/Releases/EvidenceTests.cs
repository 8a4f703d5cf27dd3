using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>What is said when a release fails.</summary>
public sealed class EvidenceTests
{
    private readonly World _world = new();

    [Theory]
    [InlineData(ProbeFailure.Refused, new[] { 8080, 9000 }, FailureClass.WrongPort, "Set Port to 8080, or let the application listen on 9292")]
    [InlineData(ProbeFailure.Refused, new[] { 8080 }, FailureClass.WrongPort, "nothing listens on port 9292, but the container listens on 8080")]
    [InlineData(ProbeFailure.Refused, new[] { 9292 }, FailureClass.Timeout, "gave no answer")]
    [InlineData(ProbeFailure.Refused, new int[0], FailureClass.Timeout, "gave no answer")]
    [InlineData(ProbeFailure.NoAnswer, new[] { 8080 }, FailureClass.Timeout, "raise HealthCheck.Deadline")]
    [InlineData(ProbeFailure.Unexpected, new[] { 8080 }, FailureClass.UnhealthyStatus, "set HealthCheck to a path that tells its health")]
    internal void Unhealthy_release_is_told_what_its_probes_saw(ProbeFailure failure, int[] ports, FailureClass kind, string words)
    {
        _world.Unhealthy.Add(World.Hash("a"));
        _world.Deploy("a");
        _world.Change("a", c => c with { Verdict = c.Verdict with { LastFailure = failure, ListeningPorts = [.. ports] } });
        _world.Wait(new HealthCheckSpec().Deadline * 2);

        var evidence = _world.Decide().Journal!.RejectionOf(World.Hash("a"))!.Evidence;

        Assert.Equal(kind, evidence.Class);
        Assert.Contains(words, evidence.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, 137, FailureClass.OutOfMemory, "because it used more memory than it may. ")]
    [InlineData(false, true, 137, FailureClass.OutOfMemory, "by SIGKILL, as the kernel does with a container that uses more memory than it may. ")]
    [InlineData(false, true, 1, FailureClass.Exited, "exited with code 1 ")]
    [InlineData(false, false, 137, FailureClass.Exited, "exited with code 137 ")]
    public void Container_that_was_killed_under_a_limit_of_memory_is_told_to_have_reached_it_though_the_engine_does_not_know(
        bool known, bool hasLimit, int code, FailureClass kind, string words)
    {
        _world.Publish("a");
        _world.Launch("a");
        var container = _world.Containers.Single() with { State = ContainerState.Exited, OomKilled = known, HasMemoryLimit = hasLimit, ExitCode = code };

        var evidence = Evidence.OfExit(_world.Situation(), World.Hash("a"), container, "before it was healthy");

        Assert.Equal(kind, evidence.Class);
        Assert.Contains(words, evidence.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FailureClass.ImageMissing, "Release a can't be started: it was so. No release serves. Push the image, or correct ContainerConfig.Image; then")]
    [InlineData(FailureClass.PortTaken, "Release a can't be started: it was so. No release serves. Free the port, or leave it out of HostConfig.PortBindings: the former release")]
    [InlineData(FailureClass.RouteTaken, "Release a can't have traffic: it was so. No release serves. Set Routing.Hosts or Routing.PathPrefix to what no other application")]
    [InlineData(FailureClass.BadOption, "Release a can't be started: it was so. No release serves. Correct the option in ContainerConfig or HostConfig; then")]
    [InlineData(null, "Release a can't be started: it was so. No release serves. Correct the option in ContainerConfig or HostConfig; then")]
    public void Refused_release_is_told_what_to_do(FailureClass? refusal, string words)
    {
        _world.Publish("a");
        var failure = new EffectFailure(new Effect.Pull(World.Hash("a"), "image-a"), Outcome.TerminalSpec, refusal, "it was so.", _world.Now, 1, _world.Now);

        var evidence = Evidence.OfRefusal(_world.Situation(), World.Hash("a"), failure);

        Assert.Equal(refusal ?? FailureClass.BadOption, evidence.Class);
        Assert.StartsWith(words, evidence.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "No release serves.")]
    [InlineData("b", "a serves on.")]
    public void It_is_said_what_still_holds(string rejected, string words)
    {
        _world.Publish("b");
        _world.Deploy("a");

        Assert.Contains(words, Evidence.OfRefusal(_world.Situation(), World.Hash(rejected), Failure(rejected)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Release_without_a_revision_is_named_by_its_hash()
    {
        _world.Publish("a", c => c with { Revision = "" });

        Assert.StartsWith("Release aaaaaaaaaaaa can't", Evidence.OfRefusal(_world.Situation(), World.Hash("a"), Failure("a")).Message, StringComparison.Ordinal);
    }

    private EffectFailure Failure(string name) => new(new Effect.Pull(World.Hash(name), $"image-{name}"), Outcome.TerminalSpec, null, "it was so", _world.Now, 1, _world.Now);
}
