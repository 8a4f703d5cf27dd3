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

        // It takes the disk along.
        await Lab.PowerCutAsync();
        await Lab.RestoreAsync();
        GC.SuppressFinalize(this);
    }

    internal override async Task<Shop> OpenAsync(string application)
    {
        // The bridges of the engine's own networks would be in the way.
        await Lab.PowerCutAsync();
        var folder = Lab.NewDirectory("engine");
        _disk = await SmallDisk.MountAsync(folder, Megabytes);
        await Lab.StartDockerdAsync("--data-root", folder);
        await Lab.RestoreAsync();
        return await base.OpenAsync(application);
    }
}
