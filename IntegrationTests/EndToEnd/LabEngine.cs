using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>The lab's own Docker Engine, to look at and to do what an operator would do behind the Controller's back.</summary>
internal static class LabEngine
{
    public static IContainerEngine Open(LabHost lab) => new DockerEngine(
        EngineEndpoint.Parse(lab.Docker),
        new RegistryCredentials(lab.Directory, TimeProvider.System, NullLogger.Instance),
        new EngineDeadlines(),
        TimeProvider.System,
        NullLogger<DockerEngine>.Instance);
}
