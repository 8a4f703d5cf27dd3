using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>The Proxy and a hardened nginx, with the same certificate and application, scanned in the same run.</summary>
[Trait("Suite", "Edge")]
public sealed class TlsScanTests(ExecutableOverTls proxy) : IClassFixture<ExecutableOverTls>
{
    // Less would say that the scanner gave up.
    private const int FewestFindings = 100;

    [Fact]
    public async Task Testssl_finds_nothing_worse_than_at_a_hardened_nginx()
    {
        await proxy.PutAsync(snapshot => snapshot.Tls = new TlsSettings { Hsts = new Hsts() });
        await using var nginx = new HardenedNginx(proxy.Authority, proxy.Application);
        await Eventually.HoldsAsync("nginx listens", async _ => (await OpenSsl.ConnectAsync(nginx.Address, proxy.Authority, "")).Contains("Cipher is", StringComparison.Ordinal));

        var theirs = await TlsScan.RunAsync(nginx.Address, proxy.Authority);
        var ours = await TlsScan.RunAsync(proxy.Address, proxy.Authority);

        Assert.InRange(theirs.Count, FewestFindings, int.MaxValue);
        Assert.InRange(ours.Count, FewestFindings, int.MaxValue);
        EdgeReport.Write("TLS, scanned by testssl.sh", Describe(theirs, ours));
        Assert.DoesNotContain(ours.Complaints, finding => finding.Rank > (theirs.Find(finding.Id)?.Rank ?? 0));
    }

    private static string Describe(TlsScan theirs, TlsScan ours)
    {
        var text = new StringBuilder($"Findings: {theirs.Count} at nginx (Mozilla's \"intermediate\", with an order of ciphers of its own), {ours.Count} at wunderproxy-proxy. All that is worse than INFO at one of them:\n\n");
        text.Append("| Finding | nginx | wunderproxy-proxy |\n| --- | --- | --- |\n");
        foreach (var id in theirs.Complaints.Concat(ours.Complaints).Select(finding => finding.Id).Distinct())
            text.Append($"| {id} | {Cell(theirs.Find(id))} | {Cell(ours.Find(id))} |\n");
        return text.ToString();
    }

    private static string Cell(TlsScan.Finding? finding) => finding is null ? "" : $"{finding.Severity}: {finding.Text.Replace("|", "\\|", StringComparison.Ordinal)}";
}
