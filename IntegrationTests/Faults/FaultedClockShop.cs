using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> whose Controller and Proxy see a wall clock that can be set; time passes for them as for anybody.</summary>
public sealed class FaultedClockShop(LabHost lab) : FaultedShop(lab)
{
    private string _clock = "";

    /// <summary>Sets the clock.</summary>
    /// <param name="offset">From the machine's clock, such as <c>+3h</c>.</param>
    internal void SetClock(string offset)
    {
        // Written aside and moved, so that nobody reads half of it.
        using (var text = new StreamWriter(File.Create($"{_clock}.new")))
            text.Write(offset);
        File.Move($"{_clock}.new", _clock, overwrite: true);
    }

    internal override async Task<Shop> OpenAsync(string application)
    {
        var shop = await base.OpenAsync(application);
        _clock = Path.Combine(shop.Installation.Root, "clock");
        SetClock("+0");
        var variables = shop.Installation.Environment;
        variables["LD_PRELOAD"] = Directory.GetFiles("/usr/lib", "libfaketime.so.1", SearchOption.AllDirectories)[0];
        variables["FAKETIME_TIMESTAMP_FILE"] = _clock;
        variables["FAKETIME_NO_CACHE"] = "1";
        variables["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        variables["FAKETIME_FORCE_MONOTONIC_FIX"] = "0";
        return shop;
    }
}
