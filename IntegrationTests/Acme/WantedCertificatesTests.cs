using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Acme;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>Which certificates an application wants.</summary>
public sealed class WantedCertificatesTests
{
    [Fact]
    public void Release_that_serves_and_the_one_that_is_to_serve_want_theirs()
    {
        var wanted = WantedCertificates.Of([Of(AutomaticCertificates.Hosts, "Shop.example"), Of(AutomaticCertificates.Hosts, "shop.example", "new.shop.example")])!;

        Assert.Equal(["shop.example", "new.shop.example"], wanted.Hosts);
        Assert.Equal(wanted.Hosts, wanted.Claims);
        Assert.False(wanted.OnDemand);
    }

    [Fact]
    public void Release_that_wants_none_adds_none()
    {
        Assert.Null(WantedCertificates.Of([]));
        Assert.Null(WantedCertificates.Of([Of(AutomaticCertificates.None, "shop.example")]));
        Assert.Equal(["new.example"], WantedCertificates.Of([Of(AutomaticCertificates.None, "shop.example"), Of(AutomaticCertificates.Hosts, "new.example", "10.0.0.1")])!.Hosts);
    }

    [Fact]
    public void On_demand_covers_what_the_application_has_and_nothing_else()
    {
        var some = WantedCertificates.Of([Of(AutomaticCertificates.OnDemand, "shop.example", "*.shop.example")])!;
        var all = WantedCertificates.Of([Of(AutomaticCertificates.OnDemand)])!;

        Assert.Equal(["shop.example"], some.Hosts);
        Assert.Equal([true, true, false, false], new[] { "shop.example", "a.shop.example", "example", "xshop.example" }.Select(some.Covers));
        Assert.Empty(all.Hosts);
        Assert.True(all.OnDemand && all.Covers("any.example"));
        Assert.DoesNotContain(true, new[] { "../any.example", "a/b.example", "10.0.0.1", "", "a..example" }.Select(all.Covers));
    }

    private static LaunchConfiguration Of(AutomaticCertificates automatic, params string[] hosts) =>
        new() { ContainerConfig = default, Revision = "v1", Routing = new Routing { Hosts = hosts }, Tls = new TlsSettings { Automatic = automatic } };
}
