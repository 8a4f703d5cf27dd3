using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Releases;
using Wunderproxy.IntegrationTests.Releases;

namespace Wunderproxy.IntegrationTests.Reconciling;

public sealed class ConditionsTests
{
    private static readonly ProxyStatus Proxy = new() { Version = "1", ProcessId = 1, StartedAt = default, HeapSizeBytes = 0 };

    private readonly World _world = new();

    [Theory]
    [InlineData("27.1.0", "Docker Engine 27.1.0 answers.")]
    [InlineData(null, "Docker Engine answers.")]
    public void Engine_that_has_not_yet_told_about_itself_has_no_version(string? version, string message)
    {
        var info = version is null ? null : new EngineInfo(version, "1.46", LiveRestore: true, "overlay2");

        Assert.Equal(message, Of("DockerReachable", info).Message);
    }

    [Fact]
    public void Certificates_are_a_condition_where_the_proxy_has_some()
    {
        Assert.Empty(Of());
        Assert.True(Assert.Single(Of(new CertificateStatus { Name = "a" })).Status);

        var condition = Assert.Single(Of(new CertificateStatus { Name = "a" }, new CertificateStatus { Name = "b", Problem = "It expires soon." }));

        Assert.False(condition.Status);
        Assert.Equal("b: It expires soon.", condition.Message);
    }

    [Fact]
    public void Host_that_is_out_of_service_is_a_condition_with_the_order_that_brings_it_back()
    {
        Assert.Empty(Conditions.OfService(_world.Situation(), null));
        Assert.True(Assert.Single(Conditions.OfService(_world.Situation(), Proxy)).Status);

        var condition = Assert.Single(Conditions.OfService(_world.Situation(), Proxy with { HostDrain = new HostDrain { Since = _world.Now.AddHours(-1) } }));

        Assert.Equal((false, _world.Now.AddHours(-1)), (condition.Status, condition.Since));
        Assert.Contains("wunderproxy undrain-host", condition.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Proxy_that_does_not_take_what_it_is_told_is_a_condition_until_it_takes_it()
    {
        Assert.Equal((true, "Accepted"), Routing());
        _world.Fail(new Effect.Route(null, new ApplicationSnapshot { Application = "shop", Installation = "i", Generation = 1, Fence = 1 }), Outcome.TerminalEnv, message: "No space left on device");

        Assert.Equal((false, "Refused"), Routing());

        _world.Wait(TimeSpan.FromMinutes(1));
        Assert.Equal((true, "Accepted"), Routing());
    }

    private (bool? Status, string Reason) Routing()
    {
        var condition = Of("RoutingAccepted");
        return (condition.Status, condition.Reason);
    }

    private Condition Of(string type, EngineInfo? engine = null) =>
        Conditions.Of(_world.Situation(), new EngineLink(_world.Now, engine, null), new CurrentReading(new CurrentDocument.Absent(), null, null), null, null).Single(c => c.Type == type);

    private IEnumerable<Condition> Of(params IReadOnlyList<CertificateStatus> certificates) =>
        Conditions.OfCertificates(_world.Situation(), Proxy with { Certificates = certificates });
}
