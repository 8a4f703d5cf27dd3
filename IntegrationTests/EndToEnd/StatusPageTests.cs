using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Wunderproxy.Contracts;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.StatusPage;
using static Microsoft.Playwright.Assertions;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>The status page in a real browser while real releases are deployed, fail, drain and are watched by a Controller that is started again.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class StatusPageTests(LabHost lab, Browser browser) : IClassFixture<Browser>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private Shop _shop = null!;
    private Tab _tab = null!;

    private IPage Page => _tab.Page;

    public async ValueTask InitializeAsync()
    {
        _shop = Shop.InDirectory(lab, "page");
        await DeployAsync("v1", "ada");
        _shop.Start();
        await _shop.WaitUntilServesAsync("v1");
        _tab = await browser.OpenAsync();
        Page.SetDefaultTimeout((float)Patience.TotalMilliseconds);
        SetDefaultExpectTimeout((float)Patience.TotalMilliseconds);
        await Page.GotoAsync(_shop.Installation.Api.AbsoluteUri);
        await Expect(Page.Locator(".standing")).ToContainTextAsync("v1 serves");
    }

    public async ValueTask DisposeAsync()
    {
        await _tab.DisposeAsync();
        await _shop.DisposeAsync();
    }

    [Fact]
    public async Task Deployment_is_watched_from_its_first_phase_to_its_place_in_the_history()
    {
        await using var load = new LightLoad(_shop.Installation.Public);

        await DeployAsync("v2", "grace", "HEALTHY_AFTER_MS=3000");

        await Expect(Page.Locator("#now article h3")).ToContainTextAsync("Deploy of v2");
        await Expect(Page.Locator(".steps [aria-current=step]")).ToContainTextAsync("Verifying");
        await Expect(Page.Locator("#now article")).ToContainTextAsync("Health check: 503");
        await _tab.PictureAsync("lab-deploying");
        await Expect(Page.Locator(".standing")).ToContainTextAsync("v2 serves on probation");
        await Expect(Page.Locator(".standing")).ToHaveTextAsync("v2 serves");
        await Expect(Page.Locator(".deployments > li").First).ToContainTextAsync("by grace");
        await Expect(Page.Locator(".deployments > li").First).ToContainTextAsync("succeeded");
        await Expect(Page.Locator(".deployments > li .took").First).ToContainTextAsync("Verifying");
        await Expect(Page.Locator(".events")).ToContainTextAsync("Deploy of v2 was accepted.");
        await Expect(Page.Locator(".events")).ToContainTextAsync("Traffic has moved to v2.");
        await Expect(Page.Locator(".events")).ToContainTextAsync("The last request on v1 has ended.");
        foreach (var revision in (string[])["v1", "v2"])
        {
            // Beside them there may be what was answered before the first one served.
            await Expect(Page.Locator(".legend li").Filter(new() { HasText = revision })).ToHaveCountAsync(1);
        }

        await Expect(Page.Locator("figure.chart").First.Locator("line.marker")).Not.ToHaveCountAsync(0);
        await Page.GetByText("The same as tables").ClickAsync();
        await Expect(Page.GetByRole(AriaRole.Table, new() { Name = "By release" })).ToContainTextAsync("v2");
        await _tab.PictureAsync("lab-deployed");
        Assert.Equal(["hello from v1", "hello from v2"], (await load.EndAsync()).Order(StringComparer.Ordinal));
        Assert.Empty(_tab.Complaints);
    }

    [Fact]
    public async Task Failed_release_is_shown_with_its_evidence_while_the_former_one_serves_on()
    {
        await DeployAsync("v2", "grace", "CRASH_ON_START=1", "EXIT_CODE=41", "SECRET=not-to-be-seen");

        var failed = Page.Locator(".deployments > li").First;
        await Expect(failed).ToContainTextAsync("failed");
        await Expect(failed).ToContainTextAsync("Exit code41");
        await Expect(failed.Locator("pre")).ToContainTextAsync("v2 crashes on start, as asked");
        await Expect(Page.Locator(".standing")).ToHaveTextAsync("v1 serves");
        await Expect(Page.Locator(".conditions .bad")).ToContainTextAsync("The wanted release serves");
        Assert.DoesNotContain("not-to-be-seen", await Page.ContentAsync(), StringComparison.Ordinal);
        await _tab.PictureAsync("lab-failed");
    }

    [Fact]
    public async Task Drain_with_open_WebSockets_gets_more_time_and_is_ended_by_its_buttons()
    {
        using var one = await TalkAsync();
        using var other = await TalkAsync();
        await DeployAsync("v2", "grace");
        var drain = Page.Locator("#drain");
        await Expect(drain.Locator(".figures div").First).ToContainTextAsync("WebSockets");
        await Expect(drain.Locator("tbody tr")).ToHaveCountAsync(2);
        await Expect(drain.Locator("tbody tr").First).ToContainTextAsync("/ws");

        await drain.GetByRole(AriaRole.Button, new() { Name = "Give 5 more minutes" }).ClickAsync();
        await Expect(Page.Locator("#answer")).ToHaveTextAsync("What runs on v1 has 5 minutes more.");
        await Expect(drain.Locator("h3")).ToContainTextAsync("the last is cut in 5 min");
        await _tab.PictureAsync("lab-draining");

        await drain.GetByRole(AriaRole.Button, new() { Name = "End now" }).ClickAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = "End it now" }).ClickAsync();
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, (await one.ReceiveAsync(new byte[16], CancellationToken.None)).CloseStatus);
        await Expect(drain).ToContainTextAsync("Nothing runs on a replaced release.");
        await Expect(Page.Locator(".events")).ToContainTextAsync("The last request on v1 has ended.");
    }

    [Fact]
    public async Task Controller_that_is_killed_in_a_deployment_and_started_again_is_found_again_by_the_page()
    {
        await DeployAsync("v2", "grace", "HEALTHY_AFTER_MS=4000");
        await Expect(Page.Locator("#now article h3")).ToContainTextAsync("Deploy of v2");

        await _shop.KillControllerAsync();
        await Expect(Page.Locator("#connection")).ToContainTextAsync("isn't reached");
        await _tab.PictureAsync("lab-away");
        _shop.Start();

        await Expect(Page.Locator("#connection")).ToHaveTextAsync("Live");
        await Expect(Page.Locator(".standing")).ToContainTextAsync("v2 serves");
        await Expect(Page.Locator(".deployments > li").First).ToContainTextAsync("succeeded");
    }

    [Fact]
    public async Task Real_status_and_explanation_are_what_is_described()
    {
        var description = JsonNode.Parse(await _shop.Api.GetStringAsync("openapi.json"))!.AsObject();
        foreach (var call in new[] { "status", "traffic", "explain", "history", "caller" })
        {
            var schema = description["paths"]![$"/{call}"]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
            Assert.Empty((await ApiSchemas.ValidatorAsync(description, schema)).Validate(await _shop.Api.GetStringAsync(call)));
        }
    }

    private async Task DeployAsync(string version, string author, params string[] variables)
    {
        var configuration = await _shop.ConfigurationAsync(version, variables);
        var hash = await _shop.PublishAsync(configuration);
        await _shop.PutAsync("history.json", new History([new HistoryEntry(version, TimeProvider.System.GetUtcNow(), author, hash)]).Write());
        await _shop.MakeCurrentAsync(configuration);
    }

    private async Task<ClientWebSocket> TalkAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(_shop.Installation.Public) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None);

        // The first message is the version; from then on it is certain that the application has it.
        await socket.ReceiveAsync(new byte[16], CancellationToken.None);
        return socket;
    }
}
