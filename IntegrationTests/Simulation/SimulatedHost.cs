using Wunderproxy.Controller.Containers;
using Wunderproxy.IntegrationTests.Durable;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>A whole host on one <see cref="VirtualThread"/>: engine, registry, Proxy, disk, clock and the Controller, and the store that it reads.</summary>
internal sealed class SimulatedHost
{
    private static readonly Dictionary<string, string> Foreign = new() { ["owner"] = "somebody else" };

    private readonly List<ContainerConnections> _connections = [];

    public SimulatedHost(int seed, bool isDetailed)
    {
        Seed = seed;
        Random = new Random(seed);
        Thread = new VirtualThread(Random);
        World = new Life(Thread, "world");
        Story = new Story(Thread, isDetailed);
        Time = new VirtualTime(Thread, World, Wall);
        Engine = new SimulatedEngine(Time);
        Engine.Registries.Add(SimulatedRelease.Registry);
        EngineWay = WayTo("Engine");
        ProxyWay = WayTo("Proxy");
        StoreWay = WayTo("Store");
        Proxy = new SimulatedProxy(Thread, Wall, ProxyWay, ConnectionsOf, Story);
        Disk = new CrashingFileSystem(Random.Next());
        Controller = new SimulatedController(this);
        Visitors = new Visitors(this);
        Promises = new Promises(this);
    }

    public int Seed { get; }

    public Random Random { get; }

    public VirtualThread Thread { get; }

    /// <summary>Everything that never ends: the network, the visitors, fate.</summary>
    public Life World { get; }

    public Story Story { get; }

    public WallClock Wall { get; } = new();

    public TimeProvider Time { get; }

    public SimulatedEngine Engine { get; }

    public Way EngineWay { get; }

    public Way ProxyWay { get; }

    public Way StoreWay { get; }

    public SimulatedProxy Proxy { get; }

    public SimulatedStore Store { get; } = new();

    public CrashingFileSystem Disk { get; private set; }

    public SimulatedController Controller { get; }

    public Visitors Visitors { get; }

    public Promises Promises { get; }

    /// <summary>Whether a Proxy that is started stays up.</summary>
    public bool ProxyCanStart { get; set; } = true;

    /// <summary>Whether somebody starts a Controller that has ended.</summary>
    public bool IsSupervised { get; set; } = true;

    /// <summary>The containers of the Controller.</summary>
    public IEnumerable<SimulatedContainer> Ours => Engine.Containers.Where(IsOurs);

    /// <summary>Part of the health probes that hang, 0 to 1.</summary>
    public double ProbeTrouble
    {
        set => _connections.ForEach(c => c.Trouble = _probeTrouble = value);
    }

    private double _probeTrouble;

    public static bool IsOurs(SimulatedContainer container) => container.Labels.ContainsKey(ContainerLabels.Installation);

    public void Start()
    {
        foreach (var release in SimulatedRelease.All.Where(r => r.IsInRegistry))
            Engine.Publish(release.Image);
        foreach (var release in SimulatedRelease.All)
            Store[$"shop/container.{release.Hash}.json"] = release.Document;
        Thread.Start(World, StartStrangersAsync);
        Proxy.Start();
        Controller.Start();
        Thread.Start(World, Visitors.RunAsync);
        Thread.Start(World, Promises.WatchAsync);
    }

    public ContainerConnections ConnectionsOf(TimeProvider time)
    {
        var connections = new ContainerConnections(Engine, time, Random) { Trouble = _probeTrouble };
        _connections.Add(connections);
        return connections;
    }

    /// <summary>The supervisor starts the Controller again after a while.</summary>
    public void StartControllerSoon()
    {
        var pause = TimeSpan.FromMilliseconds(Random.Next(100, 5000));
        Thread.Start(World, async () =>
        {
            await Task.Delay(pause, Time);
            if (!Controller.IsUp && IsSupervised)
                Controller.Start();
        });
    }

    /// <summary>The power goes, and comes back after a while.</summary>
    public async Task PowerCutAsync(TimeSpan dark)
    {
        Story.Tell("Host", $"the power goes for {dark.TotalSeconds:0.0} s");
        IsSupervised = false;
        ProxyCanStart = false;
        Controller.Crash();
        Proxy.Crash();
        EngineWay.IsUp = false;
        EngineWay.Epoch++;
        Engine.GoDown(containersLive: false);
        var isFull = Disk.IsFull;
        Disk = Disk.Reboot();
        Disk.IsFull = isFull;
        await Task.Delay(dark, Time);
        Story.Tell("Host", "the power is back");
        IsSupervised = true;
        ProxyCanStart = true;
        StartControllerSoon();
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(3000)), Time);
        EngineWay.IsUp = true;
    }

    /// <summary>The engine restarts.</summary>
    public async Task RestartEngineAsync(TimeSpan away, bool containersLive)
    {
        Story.Tell("Engine", $"restarts, away for {away.TotalSeconds:0.0} s, containers {(containersLive ? "live" : "end")}");
        EngineWay.IsUp = false;
        EngineWay.Epoch++;
        Engine.GoDown(containersLive);
        await Task.Delay(away, Time);
        EngineWay.IsUp = true;
        Story.Tell("Engine", "is back");
    }

    private Way WayTo(string peer) => new(peer, Thread, World, Time, Random, Story);

    private async Task StartStrangersAsync()
    {
        Engine.Import("stranger:1");
        foreach (var name in new[] { "wunderproxy-shop-stranger", "wunderproxy-blog-0123456789ab-1" })
        {
            var labels = new System.Text.Json.Nodes.JsonObject(Foreign.Select(l => KeyValuePair.Create(l.Key, (System.Text.Json.Nodes.JsonNode?)l.Value)));
            var id = await Engine.CreateContainerAsync(
                name,
                new System.Text.Json.Nodes.JsonObject { ["Image"] = "stranger:1", ["Cmd"] = new System.Text.Json.Nodes.JsonArray("/app", "ready=1s"), ["Labels"] = labels },
                default);
            await Engine.StartContainerAsync(id, default);
        }
    }
}
