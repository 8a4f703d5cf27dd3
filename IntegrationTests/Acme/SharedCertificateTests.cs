using System.Text.Json.Nodes;
using Wunderproxy.Controller.Acme;
using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>Certificates of a real application, and of hosts that share them through a real S3 server; issued by a real ACME server.</summary>
[Collection("Lab")]
[Trait("Needs", "Lab")]
public sealed class SharedCertificateTests(LabHost lab)
{
    private const string Host = "shop.example";

    [Fact]
    public async Task Application_is_replaced_while_its_certificate_is_obtained_and_serves_by_it()
    {
        await using var shop = await Shop.InS3Async(lab, "acme");
        await using var pebble = await Pebble.StartAsync(httpPort: shop.Installation.Public.Port, environment: ("PEBBLE_VA_SLEEPTIME", "8"));
        shop.Client.DefaultRequestHeaders.Host = Host;
        shop.Start(
            "--proxy-tls", $"127.0.0.1:{pebble.TlsPort}", "--acme-agree", "--acme-directory", pebble.DirectoryAddress.AbsoluteUri, "--acme-ca-file", pebble.AuthorityFile,
            "--acme-email", "admin@shop.example");
        await shop.DeployAsync(await ConfigurationAsync(shop, "v1"));
        await shop.WaitUntilServesAsync("v1");
        await shop.WaitUntilAsync("the certificate is being obtained", async () => (await shop.StatusAsync()).AutomaticCertificates is [{ Order: not null }]);

        await shop.DeployAsync(await ConfigurationAsync(shop, "v2"));
        await shop.WaitUntilServesAsync("v2");

        await shop.WaitUntilAsync("the certificate is in force", async () => (await shop.StatusAsync()).AutomaticCertificates is [{ IsInForce: true, LastError: null }]);
        Assert.True((await shop.WaitForConditionAsync("CertificatesObtained", true)).Status);
        await using (var client = await SecureClient.ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, pebble.TlsPort), Host))
        {
            Assert.True(client.Shown.MatchesHostname(Host));
            Assert.Contains("hello from v2", await client.AskAsync(), StringComparison.Ordinal);
        }

        Assert.Contains("Obtained a certificate for shop.example", shop.Controller.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", shop.Controller.Output, StringComparison.Ordinal);
        Assert.Equal(
            ["app/acme/account.json", "app/acme/certificates/shop.example.json", "app/acme/issuer.json"],
            (await shop.KeysAsync()).Where(key => key.StartsWith("app/acme/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Hosts_that_begin_at_once_order_each_certificate_once()
    {
        await using var pebble = await Pebble.StartAsync(address: "127.0.0.2");
        using var store = (IDisposable)S3Bucket.Open(lab, await S3Bucket.CreateAsync(lab, "acme"));
        string[] names = ["a.example", "b.example", "c.example", "d.example"];
        var hosts = new List<AcmeHost>();
        try
        {
            foreach (var address in new[] { "127.0.0.1", "127.0.0.2", "127.0.0.3" })
            {
                var options = new AcmeOptions { Directory = pebble.DirectoryAddress, Authorities = pebble.Authorities, NewHostDelay = TimeSpan.FromSeconds(3) };
                hosts.Add(await AcmeHost.StartAsync(
                    (Controller.Store.IObjectStore)store, options, AcmeClient.Handler(options.Authorities), $"{address}:{pebble.HttpPort}", $"{address}:{pebble.TlsPort}", null, names));
            }

            hosts.ForEach(host => host.Keep());
            foreach (var (host, name) in hosts.SelectMany(host => names.Select(name => (host, name))))
                await host.UntilAsync(name, certificate => certificate.IsInForce, TimeSpan.FromSeconds(60));

            Assert.Equal(names.Length, hosts.SelectMany(host => host.Logged).Count(line => line.StartsWith("Ordered", StringComparison.Ordinal)));
            foreach (var name in names)
                Assert.Single((await Task.WhenAll(hosts.Select(host => host.ShownAsync(name)))).Select(shown => shown!.Thumbprint).Distinct());
        }
        finally
        {
            foreach (var host in hosts)
                await host.DisposeAsync();
        }
    }

    private static async Task<JsonObject> ConfigurationAsync(Shop shop, string version)
    {
        var configuration = await shop.ConfigurationAsync(version);
        configuration["Routing"] = new JsonObject { ["Hosts"] = new JsonArray(Host) };
        configuration["Tls"] = new JsonObject { ["Automatic"] = "Hosts" };
        return configuration;
    }
}
