using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Acting;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Releases;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Acting;

/// <summary>What the Proxy is sent, and which pages of the application are fetched for it.</summary>
public sealed class ProxyActorTests : IDisposable
{
    private static readonly byte[] Document = Encoding.UTF8.GetBytes("""{ "ContainerConfig": { "Image": "shop:v1" }, "MaintenancePath": "maintenance.html" }""");

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("wunderproxy-actor-");
    private readonly StubApplication _application = new() { Pages = { ["/errors/502.html"] = "<h1>502 {request_id}</h1>", ["/maintenance.html"] = "<h1>Back soon</h1>" } };
    private readonly RecordedProxy _proxy = new();
    private readonly ConfigurationCache _configurations;
    private MaintenancePages _maintenance = null!;
    private ProxyActor _actor = null!;

    public ProxyActorTests()
    {
        _configurations = new ConfigurationCache(ObjectStore.Open(_root.FullName, new StoreOptions()), "shop", _root.FullName, Permissions.None, PosixFileSystem.Instance);
        _configurations.Keep("shop/current.json", Document);
        StartController();
    }

    public void Dispose()
    {
        _application.Dispose();
        _root.Delete(recursive: true);
    }

    [Fact]
    public async Task Page_for_maintenance_is_fetched_at_the_switch_and_is_there_when_the_application_is_not()
    {
        Assert.Equal(EffectResult.Done, await SwitchAsync(Snapshot()));
        _application.IsDown = true;
        StartController();

        Assert.Equal("<h1>Back soon</h1>", _maintenance.Page?.Body);
    }

    [Fact]
    public async Task Page_for_maintenance_of_the_next_release_takes_the_place_of_the_former_one()
    {
        await SwitchAsync(Snapshot());
        _application.Pages["/maintenance.html"] = "<h1>Back sooner</h1>";
        await SwitchAsync(Snapshot());
        Assert.Equal("<h1>Back sooner</h1>", _maintenance.Page?.Body);

        _application.IsDown = true;
        Assert.Equal(EffectResult.Done, await SwitchAsync(Snapshot()));
        Assert.Equal("<h1>Back sooner</h1>", _maintenance.Page?.Body);
    }

    [Fact]
    public async Task Page_for_maintenance_is_not_asked_for_where_traffic_stays_or_the_switch_was_refused()
    {
        await _actor.RouteAsync(new Effect.Route(null, Snapshot()), default);
        _proxy.Refusal = new ControlProblem { Type = ControlProblem.TargetUnhealthy, Title = "Unhealthy", Status = 422 };
        await SwitchAsync(Snapshot());

        Assert.Empty(_application.Asked);
    }

    [Fact]
    public async Task Proxy_gets_pages_in_the_place_of_paths_before_traffic_moves()
    {
        await SwitchAsync(Snapshot(("502", "/errors/502.html"), ("5xx", "<h1>{status}</h1>"), ("404", "/missing.html")));

        Assert.Equal(new Dictionary<string, string> { ["502"] = "<h1>502 {request_id}</h1>", ["5xx"] = "<h1>{status}</h1>" }, Assert.Single(_proxy.Applied).ErrorPages.Pages);
        Assert.Contains("http://172.30.0.2:9292/errors/502.html", _application.Asked);
    }

    [Fact]
    public async Task Pages_that_were_fetched_once_from_a_release_outlive_it_and_the_controller()
    {
        await SwitchAsync(Snapshot(("502", "/errors/502.html")));
        _application.IsDown = true;
        StartController();

        await _actor.RouteAsync(new Effect.Route(null, Snapshot(("502", "/errors/502.html"))), default);

        Assert.Equal("<h1>502 {request_id}</h1>", _proxy.Applied[1].ErrorPages.Pages["502"]);
    }

    [Fact]
    public async Task Pages_of_another_release_are_not_shown()
    {
        await SwitchAsync(Snapshot(("502", "/errors/502.html")));
        _application.IsDown = true;
        var other = Snapshot(("502", "/errors/502.html"));

        await SwitchAsync(other with { Target = other.Target! with { Release = "another" } });

        Assert.Empty(_proxy.Applied[1].ErrorPages.Pages);
    }

    [Fact]
    public async Task Page_that_is_too_large_and_those_that_are_too_much_together_are_left_out()
    {
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
            _application.Pages[$"/{name}"] = new string('x', ErrorPages.MaxPageBytes);
        _application.Pages["/large"] = new string('x', ErrorPages.MaxPageBytes + 1);

        await SwitchAsync(Snapshot(("400", "/a"), ("401", "/b"), ("402", "/c"), ("403", "/d"), ("404", "/e"), ("405", "/large"), ("5xx", "x")));

        Assert.Equal(["400", "401", "402", "403"], _proxy.Applied[0].ErrorPages.Pages.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Page_that_cannot_be_kept_on_the_disk_is_sent_all_the_same()
    {
        Directory.CreateDirectory(Path.Combine(_root.FullName, "error-pages.json"));

        Assert.Equal(EffectResult.Done, await SwitchAsync(Snapshot(("502", "/errors/502.html"))));

        Assert.Single(_proxy.Applied[0].ErrorPages.Pages);
    }

    private static ApplicationSnapshot Snapshot(params (string Key, string Page)[] pages) => new()
    {
        Application = "shop",
        Installation = "i1",
        Generation = 1,
        Fence = 1,
        Target = new Target { Release = ContentHash.Of(Document), ContainerId = "c1", StartedAt = DateTimeOffset.UnixEpoch, Address = "172.30.0.2:9292", Probe = new HealthProbe() },
        ErrorPages = new ErrorPages { Pages = pages.ToDictionary(page => page.Key, page => page.Page) },
    };

    private Task<EffectResult> SwitchAsync(ApplicationSnapshot snapshot) =>
        _actor.RouteAsync(new Effect.Route(new ContainerRef(snapshot.Target!.Release, 1, "shop-1"), snapshot), default);

    private void StartController()
    {
        var client = new PageClient(_application, TimeProvider.System);
        _maintenance = new MaintenancePages(Path.Combine(_root.FullName, "maintenance.html"), client, PosixFileSystem.Instance, NullLogger<MaintenancePages>.Instance);
        var errors = new ErrorPageCache(Path.Combine(_root.FullName, "error-pages.json"), client, PosixFileSystem.Instance, TimeProvider.System, NullLogger<ErrorPageCache>.Instance);
        _actor = new ProxyActor(_proxy, _configurations, errors, _maintenance, new Pipelines(TimeProvider.System, new Random(1)), new ProxyActorSettings("i1", "shop"));
    }

    /// <summary>Takes each snapshot, or refuses it.</summary>
    private sealed class RecordedProxy : IProxyControl
    {
        public List<ApplicationSnapshot> Applied { get; } = [];

        public ControlProblem? Refusal { get; set; }

        public Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken)
        {
            Applied.Add(snapshot);
            return Task.FromResult<ApplyOutcome>(Refusal is null
                ? new ApplyOutcome.Applied(new ApplicationState { Application = "shop", Installation = "i1", Generation = 1, Fence = 1, Total = null! })
                : new ApplyOutcome.Refused(Refusal));
        }

        public Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
