using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>The conformance suite against a real dockerd and a real registry, and what only those can show.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class RealDockerEngineTests : EngineConformance
{
    private readonly TestImages _images = new(LabEnvironment.Docker);
    private readonly DirectoryInfo _dockerConfig = Directory.CreateTempSubdirectory("wp-docker-config");

    private protected override IContainerEngine Engine => EngineAt(LabEnvironment.Docker);

    private protected override string BaseImage => "wp-test-busybox:1";

    private protected override string Registry => LabEnvironment.Registry;

    private protected override Task PublishAsync(string reference) => _images.PublishAsync(reference, reference);

    private protected override Task<MemoryStream> SaveAsync(string reference) => _images.SaveAsync(reference);

    private protected override Task RemoveNetworkAsync(string name) => _images.RemoveNetworkAsync(name);

    public override async ValueTask InitializeAsync()
    {
        if (await Engine.InspectImageAsync(BaseImage, Token) is null)
        {
            await _images.ImportAsync(BaseImage, "");
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _images.Dispose();
        _dockerConfig.Delete(recursive: true);
    }

    private DockerEngine EngineAt(string address, EngineDeadlines? deadlines = null) => new(
        EngineEndpoint.Parse(address),
        new RegistryCredentials(_dockerConfig.FullName, TimeProvider.System, NullLogger.Instance),
        deadlines ?? new EngineDeadlines(),
        TimeProvider.System,
        NullLogger<DockerEngine>.Instance);
}
