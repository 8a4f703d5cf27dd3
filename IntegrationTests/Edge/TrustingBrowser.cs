using Microsoft.Playwright;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.StatusPage;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>Chromium that believes an authority of the tests, and finds its host on this machine.</summary>
public sealed class TrustingBrowser : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("wp-chromium-");
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    internal TestAuthority Authority { get; } = new();

    public async ValueTask InitializeAsync()
    {
        if (File.Exists(Browser.Executable))
        {
            await TrustAsync();
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = Browser.Executable,
                Args = [.. Browser.Arguments, $"--host-resolver-rules=MAP {TestAuthority.Host} 127.0.0.1"],
                Env = [KeyValuePair.Create("HOME", _home.FullName), KeyValuePair.Create("PATH", Environment.GetEnvironmentVariable("PATH")!)],
            });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
        Authority.Dispose();
        _home.Delete(recursive: true);
    }

    /// <summary>A tab of its own, with nothing remembered of others.</summary>
    internal async Task<Tab> OpenAsync()
    {
        Browser.SkipUnlessStarted(_browser);
        var context = await _browser!.NewContextAsync();
        return new Tab(context, await context.NewPageAsync());
    }

    // Chromium's own list of authorities is added to by the one of its user.
    private async Task TrustAsync()
    {
        var database = _home.CreateSubdirectory(".pki/nssdb");
        await Command.RunAsync("certutil", ["-N", "--empty-password", "-d", $"sql:{database}"], Limit);
        await Command.RunAsync("certutil", ["-A", "-d", $"sql:{database}", "-n", "tests", "-t", "C,,", "-i", Authority.RootFile], Limit);
    }
}
