using Wunderproxy.Controller.Docker;
using Wunderproxy.IntegrationTests.Docker;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The simulated engine is held to the truth: the suite that the real one passes.</summary>
public sealed class SimulatedEngineTests : EngineConformance
{
    private readonly SimulatedEngine _engine = new(TimeProvider.System);

    private protected override IContainerEngine Engine => _engine;

    private protected override string BaseImage => "wp-test-busybox:1";

    private protected override string Registry => "localhost:8080";

    public override ValueTask InitializeAsync()
    {
        _engine.Registries.Add(Registry);
        _engine.Import(BaseImage);
        return ValueTask.CompletedTask;
    }

    private protected override Task PublishAsync(string reference)
    {
        _engine.Publish(reference);
        return Task.CompletedTask;
    }

    private protected override Task<MemoryStream> SaveAsync(string reference) => Task.FromResult(_engine.Save(reference));

    private protected override Task RemoveNetworkAsync(string name)
    {
        _engine.RemoveNetwork(name);
        return Task.CompletedTask;
    }
}
