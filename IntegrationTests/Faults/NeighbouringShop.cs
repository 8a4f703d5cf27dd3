using System.Text.Json.Nodes;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> that shares its Proxy with another application, on which the faults are played.</summary>
public sealed class NeighbouringShop(LabHost lab) : FaultedShop(lab)
{
    private const string Name = "unlucky";

    private SocketRelay? _engineOfNeighbour;
    private int _version;

    internal Shop Neighbour { get; private set; } = null!;

    /// <summary>Stands between the Controller of the neighbour and the engine.</summary>
    internal SocketRelay NeighboursEngine => _engineOfNeighbour!;

    /// <summary>Starts the neighbour once this shop serves.</summary>
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Neighbour = Shop.Beside(Lab, Name, Shop);
        _engineOfNeighbour = SocketRelay.Start(Path.Combine(Neighbour.Installation.Root, "engine.sock"), Lab.DockerSocket);
        Neighbour.Installation.Engine = NeighboursEngine.Address;
        await Neighbour.DeployAsync(await NextOfNeighbourAsync());
        Neighbour.Start();
        await Neighbour.WaitUntilServesAsync("v1");
    }

    public override async ValueTask DisposeAsync()
    {
        if (Neighbour is not null)
            await Neighbour.DisposeAsync();
        if (_engineOfNeighbour is not null)
            await _engineOfNeighbour.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The next configuration of the neighbour, which claims a path of its own; the sample application greets at any path.</summary>
    internal async Task<JsonObject> NextOfNeighbourAsync(params string[] variables)
    {
        var configuration = await Neighbour.ConfigurationAsync($"v{++_version}", variables);
        configuration["Routing"] = new JsonObject { ["PathPrefix"] = $"/{Name}" };
        return configuration;
    }
}
