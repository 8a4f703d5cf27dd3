using System.Runtime.CompilerServices;
using Microsoft.Playwright;

namespace Wunderproxy.IntegrationTests.StatusPage;

/// <summary>The distribution's Chromium, without a window, shared by the tests of a class. Where there is none, as outside of the lab, they are skipped.</summary>
public sealed class Browser : IAsyncLifetime
{
    internal const string Executable = "/usr/bin/chromium";

    internal static readonly string[] Arguments =
        ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (File.Exists(Executable))
        {
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = Arguments });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>Skips the test where there is no browser, but for the lab, which has one.</summary>
    internal static void SkipUnlessStarted(IBrowser? browser) =>
        Assert.SkipWhen(browser is null && Environment.GetEnvironmentVariable("WUNDERPROXY_LAB_DIR") is null, $"There is no {Executable}; IntegrationTests/Lab/lab.sh install brings it.");

    /// <summary>A tab of its own, with nothing remembered of others.</summary>
    internal async Task<Tab> OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1200, int height = 900)
    {
        SkipUnlessStarted(_browser);
        var context = await _browser!.NewContextAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = height }, Locale = "en-GB", TimezoneId = "UTC" });
        return new Tab(context, await context.NewPageAsync());
    }
}

/// <summary>A page in the browser, and what it complained of.</summary>
internal sealed class Tab : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public Tab(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.SetDefaultTimeout(15_000);
        page.PageError += (_, error) => Complaints.Add(error);
        page.Console += (_, message) =>
        {
            // That the Controller isn't reached is what some tests are about.
            if (message.Type is "error" or "warning" && !message.Text.Contains("net::ERR_", StringComparison.Ordinal))
            {
                Complaints.Add($"{message.Text} ({message.Location})");
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Errors of its code, and whatever its content security policy forbade.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Writes the whole page as it looks to <c>TestResults/status-page</c>.</summary>
    public async Task PictureAsync(string name)
    {
        await Page.EvaluateAsync("scrollTo({ top: 0, behavior: 'instant' })");
        await Page.ScreenshotAsync(new() { Path = Path.Combine(Folder(), $"{name}.png"), FullPage = true });
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private static string Folder([CallerFilePath] string path = "") => Path.GetFullPath(Path.Combine(path, "../../../TestResults/status-page"));
}
