using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A <see cref="FaultedShop"/> whose store is in S3, behind a relay.</summary>
public sealed class FaultedS3Shop(LabHost lab) : FaultedShop(lab)
{
    private HttpRelay? _store;
    private string _hosts = "";

    /// <summary>Stands between Controller and S3; the operator asks S3 itself.</summary>
    internal HttpRelay Store => _store!;

    /// <summary>The names that the Controller can resolve, as lines of <c>/etc/hosts</c>; the host of its store is <c>localhost</c>.</summary>
    internal void SetHosts(string lines)
    {
        // Written in place, for it is this very file that the Controller sees.
        using var text = new StreamWriter(File.Create(_hosts));
        text.WriteLine(lines);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_store is not null)
            await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal override async Task<Shop> OpenAsync(string application)
    {
        var shop = await Shop.InS3Async(Lab, application);
        _store = await HttpRelay.StartAsync(new Uri(Lab.S3Endpoint));
        _hosts = Path.Combine(shop.Installation.Root, "hosts");
        SetHosts("127.0.0.1 localhost");
        shop.Installation.Hosts = _hosts;
        shop.Installation.Store = $"http://localhost:{Store.Address.Port}";
        return shop;
    }
}
