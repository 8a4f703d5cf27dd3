using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Releases;

namespace Wunderproxy.IntegrationTests.Reconciling;

public sealed class ConditionsTests
{
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
}
