using System.Net;
using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Durable;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The whole Controller, one life after another, as <c>wunderproxy run</c> and a supervisor would have it.</summary>
internal sealed class SimulatedController(SimulatedHost host)
{
    public const string StateDirectory = "/state";

    private static readonly RunSettings Settings = new()
    {
        Store = new StoreSettings { Bucket = "simulated", Prefix = "shop", S3PathStyle = false },
        Application = "shop",
        Proxy = new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 80)),
        ProxyProtocol = false,
        ProxyOptions = [],
        Api = new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 8001)),
        RegistryPort = 8080,
        ContainerEnvironment = new Dictionary<string, string>(),
        StateDirectory = StateDirectory,
        Docker = "unix:///simulated.sock",
        ProxyControl = "/simulated/proxy.sock",
        Poll = TimeSpan.FromSeconds(5),
        Network = "wunderproxy",
        NetworkSubnet = IPNetwork.Parse("172.30.0.0/16"),
        NetworkDynamicRange = IPNetwork.Parse("172.30.240.0/20"),
        Addressing = Addressing.Bridge,
        Allow = Permissions.None,
        ProgressDeadline = TimeSpan.FromSeconds(60),
        LogFormat = LogFormat.Text,
    };

    private CancellationTokenSource? _stop;
    private int _lives;

    public Life? Life { get; private set; }

    /// <summary>Its clock in its present life.</summary>
    public TimeProvider Time { get; private set; } = TimeProvider.System;

    /// <summary>What the admin API talks to; absent while it is down or starts.</summary>
    public IReconciler? Reconciler { get; private set; }

    /// <summary>Its admin API; absent while it doesn't listen.</summary>
    public SimulatedApi? Api { get; private set; }

    public bool IsUp => Life is { IsOver: false };

    /// <summary>When the present life began.</summary>
    public long UpSince { get; private set; }

    public void Start()
    {
        host.Story.Tell("Controller", $"life {++_lives} begins");
        var life = new Life(host.Thread, $"Controller {_lives}");
        var time = new VirtualTime(host.Thread, life, host.Wall);
        (Life, Time, UpSince, _stop) = (life, time, host.Thread.Now, new CancellationTokenSource());
        host.Thread.Start(life, () => RunAsync(life, time, _stop.Token));
    }

    /// <summary>It is gone from one instruction to the next.</summary>
    public void Crash()
    {
        if (!IsUp)
            return;
        host.Story.Tell("Controller", "crashes");
        Life!.End();
        (Reconciler, Api) = (null, null);
        host.Disk.Restart();
    }

    /// <summary>It is asked to end.</summary>
    public void Stop()
    {
        host.Story.Tell("Controller", "is asked to stop");
        _stop?.Cancel();
    }

    private async Task RunAsync(Life life, VirtualTime time, CancellationToken stop)
    {
        try
        {
            var launcher = new SimulatedLauncher(host.Proxy, () => host.ProxyCanStart, time);
            var parts = new ControllerParts(
                Settings,
                new UnreliableStore(host.Store, host.StoreWay, time, host.Random),
                new UnreliableProxy(host.Proxy, host.ProxyWay, time),
                launcher,
                host.Story,
                time);
            var engine = new UnreliableEngine(host.Engine, host.EngineWay, host.Thread, host.World, host.Time, time, host.Random);
            var reconciler = ReconcilerComposition.Build(parts, new HostParts(engine, host.Disk, host.ConnectionsOf(time), _ => [], new Random(host.Random.Next()), () => new byte[Canary.KeyBytes]));
            await launcher.EnsureRunningAsync(stop);
            (Reconciler, Api) = (reconciler, new SimulatedApi(reconciler, time, host.Story.CreateLogger("Api"), stop));
            await reconciler.RunAsync(stop);
            throw new PromiseBrokenException("The Controller ended by itself.");
        }
        catch (Exception exception) when (exception is ProxyLaunchException or Wunderproxy.Controller.Durable.DurableWriteException || (exception is OperationCanceledException && stop.IsCancellationRequested))
        {
            host.Story.Tell("Controller", $"ends: {exception.Message}");
            (Reconciler, Api) = (null, null);
            life.End();
            host.StartControllerSoon();
        }
    }
}
