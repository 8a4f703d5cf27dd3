using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> whose engine keeps its data on a disk of its own.</summary>
public sealed class SmallEngineShop(LabHost lab) : FaultedShop(lab)
{
    // Enough for the base of the sample images and a few containers.
    private const int Megabytes = 500;

    private SmallDisk? _disk;

    internal SmallDisk Disk => _disk!;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await Lab.StopDockerdAsync();
        if (_disk is not null)
            await _disk.DisposeAsync();
        await Lab.StartDockerdAsync();
        GC.SuppressFinalize(this);
    }

    internal override async Task<Shop> OpenAsync(string application)
    {
        var folder = Lab.NewDirectory("engine");
        _disk = await SmallDisk.MountAsync(folder, Megabytes);
        await Lab.StopDockerdAsync();
        await Lab.StartDockerdAsync("--data-root", folder);
        return await base.OpenAsync(application);
    }
}
