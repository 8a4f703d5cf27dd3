using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>The responder of OpenSSL, which says of an authority's certificates that they are good. Source: RFC 6960.</summary>
internal sealed class OcspResponder : IAsyncDisposable
{
    private readonly int _port = FreePort.Next();
    private RunningProcess? _process;

    /// <summary>Where certificates say that it is.</summary>
    public Uri Address => new($"http://127.0.0.1:{_port}/");

    /// <summary>Starts it, for one certificate.</summary>
    public async Task StartAsync(TestAuthority authority, TestCertificate certificate)
    {
        // V: valid; until when, and then of which number and subject.
        var index = authority.RootFile + ".index";
        TestAuthority.WriteFile(index, $"V\t491231235959Z\t\t{certificate.SerialNumber}\tunknown\t/CN=Test\n");
        _process = RunningProcess.Start(
            "/usr/bin/openssl",
            ["ocsp", "-index", index, "-port", $"{_port}", "-rsigner", authority.RootFile, "-rkey", authority.WriteRootKey(), "-CA", authority.RootFile, "-ndays", "1"]);
        await Eventually.HoldsAsync("the responder listens", () => _process.Output.Contains("waiting for OCSP client connections", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync() => await (_process?.DisposeAsync() ?? default);
}
