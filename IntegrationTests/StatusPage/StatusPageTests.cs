using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Playwright;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Remembering;
using static Microsoft.Playwright.Assertions;

namespace Wunderproxy.IntegrationTests.StatusPage;

/// <summary>The status page in a real browser, before the real admin API.</summary>
public sealed class StatusPageTests(Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private const string Hostile = "<img src=x onerror=document.title='taken'>";
    private const string Secret = "correct-horse-battery-staple";

    private readonly FakeOperations _operations = new() { Status = SampleStatus.Eventful, Explanation = SampleStatus.Explanation, History = SampleStatus.History };
    private readonly List<Tab> _tabs = [];
    private AdminApi _api = null!;

    public async ValueTask InitializeAsync() => _api = await StartAsync(0);

    public async ValueTask DisposeAsync()
    {
        foreach (var tab in _tabs)
        {
            await tab.DisposeAsync();
        }

        await _api.DisposeAsync();
    }

    [Theory]
    [InlineData("light", ColorScheme.Light, 1200)]
    [InlineData("dark", ColorScheme.Dark, 1200)]
    [InlineData("phone", ColorScheme.Light, 375)]
    [InlineData("phone-dark", ColorScheme.Dark, 375)]
    public async Task Page_fits_in_the_light_and_in_the_dark_on_a_desk_and_on_a_phone(string name, ColorScheme scheme, int width)
    {
        var tab = await OpenAsync(scheme, width);

        await tab.PictureAsync(name);

        Assert.Empty(await tab.Page.EvaluateAsync<string[]>("""
            () => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML)
            """));
    }

    [Fact]
    public async Task What_serves_what_is_wanted_and_what_goes_on_is_told_in_words()
    {
        var page = (await OpenAsync()).Page;

        await Expect(page.Locator(".standing")).ToHaveTextAsync("42 serves");
        await Expect(page.Locator("#now")).ToContainTextAsync("43 is wanted, by current.json, for");
        await Expect(page.Locator("#now article h3")).ToContainTextAsync(Like("^Deploy of 43.*it ends within 9 min"));
        await Expect(page.Locator(".steps [aria-current=step]")).ToContainTextAsync("Verifying");
        await Expect(page.Locator(".conditions .warn").First).ToContainTextAsync("The wanted release serves");
        Assert.Equal("shop: 42", await page.TitleAsync());
    }

    [Fact]
    public async Task Plan_is_asked_why_when_somebody_wants_to_know()
    {
        var page = (await OpenAsync()).Page;

        await page.GetByText("Why it does what it does").ClickAsync();

        await Expect(page.Locator(".rules .waits")).ToContainTextAsync("43 isn't healthy yet");
        await Expect(page.Locator(".rules .chosen")).ToContainTextAsync("Settled");
    }

    [Fact]
    public async Task Change_is_shown_as_it_happens_and_nothing_that_somebody_uses_is_disturbed()
    {
        var page = (await OpenAsync()).Page;
        await page.GetByText("The same as tables").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause traffic" }).FocusAsync();

        _operations.Status = _operations.Status with { Active = SampleStatus.Next, Releases = [.. _operations.Status.Releases.Select(r => r.Hash == SampleStatus.Next ? r with { Phase = ReleasePhase.Probation } : r)] };

        await Expect(page.Locator(".standing")).ToHaveTextAsync("43 serves on probation");
        await Expect(page.Locator(".events li").First).ToContainTextAsync("Traffic has moved to 43.");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause traffic" })).ToBeFocusedAsync();
        await Expect(page.GetByText("By release", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator("#announcement")).ToHaveTextAsync("Traffic has moved to 43.");
    }

    [Fact]
    public async Task Page_outlives_a_restart_of_the_controller()
    {
        var page = (await OpenAsync()).Page;
        var port = new Uri(_api.BoundAddress).Port;
        await page.EvaluateAsync("window.mark = 'same page'");

        await _api.DisposeAsync();
        await Expect(page.Locator("#connection")).ToContainTextAsync("isn't reached");
        var looking = new TaskCompletionSource();
        _api = await StartAsync(port, looking.Task);
        _operations.Status = _operations.Status with { Paused = true };
        await Eventually.PassAsync(TimeSpan.FromSeconds(2));
        looking.SetResult();

        await Expect(page.Locator("#connection")).ToHaveTextAsync("Live");
        await Expect(page.Locator(".standing")).ToHaveTextAsync("Traffic to 42 is paused");
        Assert.Equal("same page", await page.EvaluateAsync<string>("window.mark"));
    }

    [Fact]
    public async Task Page_that_is_opened_while_the_controller_starts_fills_when_it_has_looked_around()
    {
        await _api.DisposeAsync();
        var looking = new TaskCompletionSource();
        _api = await StartAsync(0, looking.Task);
        var tab = await browser.OpenAsync();
        _tabs.Add(tab);
        await tab.Page.GotoAsync(_api.BoundAddress);
        await Expect(tab.Page.Locator("#connection")).ToContainTextAsync("isn't reached");

        looking.SetResult();

        await Expect(tab.Page.Locator(".standing")).ToHaveTextAsync("42 serves");
    }

    [Fact]
    public async Task Order_is_given_once_it_was_confirmed()
    {
        _operations.Admission = new Admission.Accepted(FakeOperations.Running with { Kind = DeploymentKind.Switch });
        var page = (await OpenAsync()).Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back to 41" }).ClickAsync();
        await page.Keyboard.PressAsync("Escape");
        Assert.Empty(_operations.Orders);
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back to 41" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("until current.json changes next");
        await page.GetByRole(AriaRole.Button, new() { Name = "Roll back", Exact = true }).ClickAsync();

        await Expect(page.Locator("#answer")).ToHaveTextAsync("The switch to 41 is accepted.");
        Assert.Equal([$"switch {SampleStatus.Old}"], _operations.Orders);
    }

    [Fact]
    public async Task Each_order_of_the_page_reaches_the_controller()
    {
        _operations.Admission = new Admission.Accepted(null);
        var page = (await OpenAsync()).Page;

        await ConfirmAsync(page, "Pause traffic", "Pause");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("Traffic is paused.");
        _operations.Status = _operations.Status with { Paused = true };
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume traffic" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("Traffic goes on.");
        await ConfirmAsync(page, "Maintenance", "Put it up");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("Maintenance is up.");
        _operations.Status = _operations.Status with { MaintenanceMode = true };
        await page.GetByRole(AriaRole.Button, new() { Name = "End maintenance" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("Maintenance is down.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Give 5 more minutes" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("What runs on 41 has 5 minutes more.");
        await ConfirmAsync(page, "End now", "End it now");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("What ran on 41 is ended.");

        await ConfirmAsync(page, "Withdraw 43", "Withdraw");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("43 is withdrawn.");
        _operations.Admission = new Admission.Accepted(FakeOperations.Running);
        _operations.Status = _operations.Status with { Deployments = [_operations.Status.Deployments[0] with { End = DeploymentEnd.Cancelled }] };
        await page.GetByRole(AriaRole.Button, new() { Name = "Try 43 again" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("43 is tried again.");

        Assert.Equal(["pause True", "pause False", "maintenance True", "maintenance False", $"drain {SampleStatus.Old} 00:05:00", $"drain {SampleStatus.Old} end", "abort", "retry"], _operations.Orders);
    }

    [Fact]
    public async Task Release_that_stands_by_is_told_with_its_share_and_how_it_does()
    {
        _operations.Status = SampleStatus.StandingBy;
        var tab = await OpenAsync();
        var standby = tab.Page.Locator("article.standby");

        await Expect(standby.Locator("h3")).ToContainTextAsync(Like("^43 stands by.*for 4 min"));
        await Expect(standby).ToContainTextAsync("10 % of the clients get it, always the same ones");
        await Expect(standby.Locator(".figures div")).ToHaveTextAsync([Like("share.*512"), Like("previews.*7"), Like("failures.*3"), Like("sent back.*2"), Like("median"), Like("P99")]);
        await Expect(tab.Page.GetByRole(AriaRole.Table, new() { Name = "Releases" })).ToContainTextAsync("stands by, 10 % of the clients");
        await tab.PictureAsync("standby");
        _operations.Status = SampleStatus.StandingBy with { Canary = null };
        await Expect(standby).ToContainTextAsync("Those get it who may see it before the switch, and nobody else.");
    }

    [Fact]
    public async Task Share_of_the_clients_is_changed_by_who_may()
    {
        _operations.Admission = new Admission.Accepted(null);
        _operations.Status = SampleStatus.StandingBy;
        var page = (await OpenAsync()).Page;

        await ConfirmAsync(page, "25 % of the clients", "Send them");
        await Expect(page.Locator("#answer")).ToHaveTextAsync("25 % of the clients get 43.");
        await page.GetByRole(AriaRole.Button, new() { Name = "End the canary" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("No client is sent to 43 any more.");

        Assert.Equal(["canary 25", "canary 0"], _operations.Orders);
    }

    [Fact]
    public async Task Share_of_the_clients_is_shown_and_not_offered_to_who_may_not_change_it()
    {
        await _api.DisposeAsync();
        _api = await StartAsync(0, token: new ApiToken(Secret));
        _operations.Status = SampleStatus.StandingBy;
        var page = (await OpenAsync()).Page;

        await Expect(page.Locator("article.standby")).ToContainTextAsync("10 % of the clients");
        await Expect(page.Locator("article.standby button")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Refused_order_is_told_with_the_reason()
    {
        _operations.Admission = new Admission.Refused(Refusal.NotDurable, "The disk is full. What runs goes on.");
        var page = (await OpenAsync()).Page;

        await ConfirmAsync(page, "Pause traffic", "Pause");

        await Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The disk is full. What runs goes on.");
    }

    [Fact]
    public async Task Token_opens_the_orders_and_is_known_to_this_tab_alone()
    {
        await _api.DisposeAsync();
        _api = await StartAsync(0, token: new ApiToken(Secret));
        var tab = await OpenAsync();
        var page = tab.Page;
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Pause traffic" })).ToHaveCountAsync(0);

        await page.GetByLabel("Token").FillAsync("wrong-horse-battery-staple");
        await page.GetByRole(AriaRole.Button, new() { Name = "Use it" }).ClickAsync();
        await Expect(page.Locator("#answer")).ToHaveTextAsync("That is not this Controller's token.");
        await page.GetByLabel("Token").FillAsync(Secret);
        await page.Keyboard.PressAsync("Enter");
        _operations.Admission = new Admission.Accepted(null);
        await ConfirmAsync(page, "Pause traffic", "Pause");

        await Expect(page.Locator("#answer")).ToHaveTextAsync("Traffic is paused.");
        Assert.Equal((Secret, 0, ""), (
            await page.EvaluateAsync<string>("sessionStorage.getItem('wunderproxy-token')"),
            await page.EvaluateAsync<int>("localStorage.length"),
            await page.EvaluateAsync<string>("document.cookie")));
        Assert.DoesNotContain(Secret, await page.ContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Traffic_has_a_colour_for_each_release_and_a_mark_for_each_switch()
    {
        var page = (await OpenAsync()).Page;
        var requests = page.Locator("figure.chart").First;

        await Expect(page.Locator(".legend li")).ToHaveTextAsync([Like("^41"), Like("^42"), Like("^43"), Like("^no release")]);
        await Expect(requests.Locator("path.area")).ToHaveCountAsync(4);
        await Expect(requests.Locator("line.marker")).ToHaveCountAsync(3);
        await Expect(page.Locator("figure.chart")).ToHaveCountAsync(3);
        var colours = await requests.Locator("path.area").EvaluateAllAsync<string[]>("paths => paths.map(path => getComputedStyle(path).fill)");
        Assert.Equal(4, colours.Distinct().Count());
    }

    [Fact]
    public async Task Chart_is_read_by_the_keyboard()
    {
        var page = (await OpenAsync()).Page;
        var chart = page.GetByRole(AriaRole.Group, new() { NameRegex = Like("^Requests") });

        await chart.FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Expect(chart.Locator("output")).ToContainTextAsync("11:00:00");
        await page.Keyboard.PressAsync("PageDown");
        await page.Keyboard.PressAsync("ArrowRight");

        await Expect(chart.Locator("output")).ToContainTextAsync("11:05:10");
        await Expect(chart.Locator("output")).ToContainTextAsync(Like("41 [0-9]+/s"));
        await Expect(chart).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Traffic_can_be_read_as_tables()
    {
        var page = (await OpenAsync()).Page;

        await page.GetByText("The same as tables").ClickAsync();

        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "By release" }).GetByRole(AriaRole.Row)).ToHaveCountAsync(5);
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "By time" }).GetByRole(AriaRole.Row)).ToHaveCountAsync(13);
    }

    [Fact]
    public async Task Drain_lists_what_runs_with_its_kind_age_path_and_end()
    {
        var page = (await OpenAsync()).Page;
        var drain = page.Locator("#drain");

        await Expect(drain.Locator("h3")).ToContainTextAsync(Like("^41.*the last is cut in 1 min"));
        await Expect(drain.Locator(".figures div")).ToHaveTextAsync([Like("WebSockets.*2"), Like("stream.*1"), Like("request.*1")]);
        await Expect(drain.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync(Like("WebSocket.*/cable.*1 h 10 min.*1 min"));
    }

    [Fact]
    public async Task History_tells_who_deployed_what_how_it_ended_and_why_it_failed()
    {
        var page = (await OpenAsync()).Page;
        var entries = page.Locator(".deployments > li");

        await Expect(entries.Nth(0)).ToContainTextAsync(Like("43.*under way.*deployed by grace@build-7"));
        await Expect(entries.Nth(0)).ToContainTextAsync("Pulling 10 s");
        await Expect(entries.Nth(1)).ToContainTextAsync(Like("42.*succeeded.*deployed by ada@build-7"));
        await Expect(entries.Nth(2)).ToContainTextAsync(Like("42-rc1.*failed"));
        await Expect(entries.Nth(2)).ToContainTextAsync("Exit code3");
        await Expect(entries.Nth(2)).ToContainTextAsync("connection refused");
        await Expect(entries.Nth(2).Locator("pre")).ToContainTextAsync("<b>no database</b> at db:5432");
    }

    [Fact]
    public async Task Whatever_comes_from_outside_stays_text()
    {
        var status = SampleStatus.Eventful;
        _operations.History = new([new(Hostile, SampleStatus.Now, Hostile, SampleStatus.Next), new(Hostile, SampleStatus.Now, Hostile, Hostile)]);
        _operations.Status = status with
        {
            Application = Hostile,
            Desired = status.Desired! with { Revision = Hostile },
            Conditions = [new Condition(Hostile, false, Hostile, Hostile, SampleStatus.Now)],
            Releases = [.. status.Releases.Select(r => r with { Revision = Hostile, LastProbe = Hostile, Traffic = HostileIn(r.Traffic) })],
            Deployments = [.. status.Deployments.Select(d => d with { Revision = Hostile, Message = Hostile, Failure = d.Failure is null ? null : d.Failure with { Message = Hostile, LastProbe = Hostile, Log = [Hostile] } })],
            Plan = status.Plan with { Reason = Hostile, Working = [Hostile] },
        };
        var tab = await OpenAsync();

        await Expect(tab.Page.Locator(".standing")).ToContainTextAsync(Hostile);
        await Expect(tab.Page.Locator("#drain")).ToContainTextAsync(Hostile);
        await Expect(tab.Page.Locator("pre").First).ToContainTextAsync(Hostile);
        Assert.Equal(0, await tab.Page.Locator("img").CountAsync());
        Assert.NotEqual("taken", await tab.Page.TitleAsync());
    }

    [Fact]
    public async Task Page_of_another_site_in_the_same_browser_changes_nothing()
    {
        await using var site = await StartSiteAsync($$"""
            <form id="form" method="post" action="{{_api.BoundAddress}}/pause" target="frame"><button>x</button></form><iframe name="frame"></iframe>
            <script>
              const all = ["/pause", "/maintenance/up", "/drain"].map(path => fetch("{{_api.BoundAddress}}" + path, { method: "POST", mode: "no-cors", body: "{\"End\":true}" }));
              Promise.allSettled(all).then(() => document.title = "tried");
              document.getElementById("form").submit();
            </script>
            """);
        var tab = await browser.OpenAsync();
        _tabs.Add(tab);
        var posted = tab.Page.WaitForResponseAsync(response => response.Url.EndsWith("/pause", StringComparison.Ordinal) && response.Request.IsNavigationRequest);

        await tab.Page.GotoAsync(site.Urls.First());

        await Expect(tab.Page).ToHaveTitleAsync("tried");
        Assert.Equal(403, (await posted).Status);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Page_of_another_site_can_not_show_the_page_within_itself()
    {
        await using var site = await StartSiteAsync($"<iframe src='{_api.BoundAddress}/'></iframe>");
        var tab = await browser.OpenAsync();
        _tabs.Add(tab);

        await tab.Page.GotoAsync(site.Urls.First());

        await Eventually.HoldsAsync("the browser refuses", () => tab.Complaints.Any(text => text.Contains("frame-ancestors", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Everything_that_can_be_used_has_a_name_and_is_reached_by_the_keyboard()
    {
        var page = (await OpenAsync()).Page;

        var nameless = await page.EvaluateAsync<string[]>("""
            () => [...document.querySelectorAll("button, a, summary, input, [tabindex='0']")].filter(e => e.checkVisibility())
              .filter(e => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).map(e => e.outerHTML)
            """);
        Assert.Empty(nameless);
        var headings = await page.Locator("h2, h3").EvaluateAllAsync<string[]>("all => all.filter(h => h.checkVisibility()).map(h => h.tagName)");
        Assert.Equal("H2", headings[0]);
        Assert.Equal(await page.Locator("table").CountAsync(), await page.Locator("table > caption").CountAsync());

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByText("Skip to what is so now")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Keyboard.PressAsync("Tab");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Roll back to 41" })).ToBeFocusedAsync();
    }

    private static TargetTraffic? HostileIn(TargetTraffic? traffic) => traffic?.Drain is not { } drain ? traffic : traffic with
    {
        Drain = drain with { Oldest = [.. drain.Oldest.Select(request => request with { Path = Hostile })] },
    };

    private static Regex Like(string pattern) => new(pattern, RegexOptions.None, TimeSpan.FromSeconds(1));

    private static async Task ConfirmAsync(IPage page, string button, string yes)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = yes, Exact = true }).ClickAsync();
    }

    private static async Task<WebApplication> StartSiteAsync(string html)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var site = builder.Build();
        site.Urls.Add("http://127.0.0.1:0");
        site.MapGet("/", () => Results.Content(html, "text/html"));
        await site.StartAsync();
        return site;
    }

    private Task<AdminApi> StartAsync(int port, Task? started = null, ApiToken? token = null) => AdminApi.StartAsync(
        new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, port)), token) { Further = new TrafficCalls(new ToldTraffic(_ => SampleTraffic.Hour)).Map }, _operations, started ?? Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, default);

    /// <summary>Opens the page, and waits until it shows everything.</summary>
    private async Task<Tab> OpenAsync(ColorScheme scheme = ColorScheme.Light, int width = 1200)
    {
        var tab = await browser.OpenAsync(scheme, width);
        _tabs.Add(tab);
        await tab.Page.GotoAsync(_api.BoundAddress);
        await Expect(tab.Page.Locator("#connection")).ToHaveTextAsync("Live");
        await Expect(tab.Page.Locator("figure.chart")).ToHaveCountAsync(3);
        await Expect(tab.Page.Locator(".orders")).ToHaveCountAsync(1);
        Assert.Empty(tab.Complaints);
        return tab;
    }
}
