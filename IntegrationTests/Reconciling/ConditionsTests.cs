using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
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

        var condition = Conditions.Of(_world.Situation(), new EngineLink(_world.Now, info, null), new CurrentReading(new CurrentDocument.Absent(), null, null), null, null)
            .Single(c => c.Type == "DockerReachable");

        Assert.Equal(message, condition.Message);
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

    private IEnumerable<Condition> Of(params IReadOnlyList<CertificateStatus> certificates) =>
        Conditions.OfCertificates(_world.Situation(), Proxy with { Certificates = certificates });
}
