using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> whose Controller and Proxy have a wall clock that can be set.</summary>
public sealed class FaultedClockShop(LabHost lab) : FaultedShop(lab)
{
    private WallClock? _clock;

    internal WallClock Clock => _clock!;

    internal override async Task<Shop> OpenAsync(string application)
    {
        var shop = await base.OpenAsync(application);
        shop.Installation.Clock = _clock = await WallClock.CreateAsync(shop.Installation.Root);
        return shop;
    }
}
