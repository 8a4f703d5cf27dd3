using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> whose state is on a disk of its own.</summary>
public sealed class FaultedSmallDiskShop(LabHost lab) : FaultedShop(lab)
{
    private SmallDisk? _disk;

    internal SmallDisk Disk => _disk!;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_disk is not null)
            await _disk.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal override async Task<Shop> OpenAsync(string application)
    {
        var shop = await base.OpenAsync(application);
        _disk = await SmallDisk.MountAsync(shop.Installation.StateDirectory);
        return shop;
    }
}
