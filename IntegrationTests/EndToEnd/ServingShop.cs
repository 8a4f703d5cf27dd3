using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>A shop whose release v1 serves, shared by tests that all leave it serving.</summary>
public sealed class ServingShop(LabHost lab) : IAsyncLifetime
{
    internal Shop Shop { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Shop = Shop.InDirectory(lab, "serving");
        await Shop.DeployAsync(await Shop.ConfigurationAsync("v1"));
        Shop.Start();
        await Shop.WaitUntilServesAsync("v1");
    }

    public ValueTask DisposeAsync() => Shop.DisposeAsync();
}
