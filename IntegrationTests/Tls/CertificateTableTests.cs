using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>Which certificate a client gets.</summary>
public sealed class CertificateTableTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly Dictionary<string, ServerCertificate> _certificates = [];

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData("shop.example", "shop")]
    [InlineData("SHOP.Example", "shop")]
    [InlineData("api.shop.example", "api")]
    [InlineData("www.shop.example", "wild")]
    [InlineData("a.www.shop.example", null)]
    [InlineData("example", null)]
    [InlineData("other.example", null)]
    [InlineData("", null)]
    [InlineData("127.0.0.1", null)]
    public void Host_gets_its_own_certificate_then_that_of_the_wildcard_and_never_a_strangers(string host, string? expected)
    {
        Add("shop", "shop.example");
        Add("wild", "*.shop.example");
        Add("api", "api.shop.example", "api.other.test");

        Assert.Equal(expected, Found(host));
    }

    [Fact]
    public void Client_that_names_no_host_gets_the_default_or_the_only_one()
    {
        Add("shop", "shop.example");
        Assert.Equal(("shop", null), (Found(""), Found("other.example")));

        Add("wild", "*.shop.example");
        Assert.Null(Found(""));

        Add("default", "host.example");
        Assert.Equal(("default", "default", null), (Found(""), Found("10.0.0.1"), Found("other.example")));
    }

    [Fact]
    public void Of_two_for_a_host_the_one_counts_that_is_valid_for_longest()
    {
        Add("a", DateTimeOffset.UnixEpoch.AddYears(100), "shop.example");
        Add("b", DateTimeOffset.UnixEpoch.AddYears(120), "shop.example");
        Add("c", DateTimeOffset.UnixEpoch.AddYears(110), "shop.example");

        Assert.Equal("b", Found("shop.example"));
    }

    private void Add(string name, params IReadOnlyList<string> hosts) => Add(name, DateTimeOffset.UnixEpoch.AddYears(100), hosts);

    private void Add(string name, DateTimeOffset notAfter, params IReadOnlyList<string> hosts)
    {
        var issued = _authority.Issue(hosts, notAfter: notAfter);
        var path = _authority.At(name + ".pem");
        TestAuthority.WriteKey(path, issued.Chain + "\n" + issued.Key);
        _certificates[name] = ServerCertificate.Read(new CertificateFiles(name, path, path));
    }

    private string? Found(string host) =>
        new CertificateTable(_certificates).Find(host) is { } found ? _certificates.Single(named => named.Value == found).Key : null;
}
