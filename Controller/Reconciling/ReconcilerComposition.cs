using System.Security.Cryptography;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.Acting;
using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>Puts the reconciler together.</summary>
internal static class ReconcilerComposition
{
    private const string ManagedBy = "wunderproxy.network";

    public static IReconciler Build(ControllerParts parts)
    {
        var engine = new DockerEngine(
            EngineEndpoint.Parse(parts.Settings.Docker),
            new RegistryCredentials(RegistryCredentials.DefaultDirectory, parts.Time, parts.Loggers.CreateLogger<RegistryCredentials>()),
            new EngineDeadlines(),
            parts.Time,
            parts.Loggers.CreateLogger<DockerEngine>());
        return Build(parts, new HostParts(engine, PosixFileSystem.Instance, HealthClient.Direct(), ListeningPorts.Of, new Random(), () => RandomNumberGenerator.GetBytes(Canary.KeyBytes)));
    }

    /// <summary>The same over any host.</summary>
    public static IReconciler Build(ControllerParts parts, HostParts host)
    {
        var (engine, random) = (host.Engine, host.Random);
        var (settings, time, loggers) = (parts.Settings, parts.Time, parts.Loggers);
        var installation = InstallationOf(settings.StateDirectory);
        var labels = ContainerLabels.Of(installation, settings.Application);
        var wakeUp = new WakeUp(time);

        var file = JournalFile.Open(Path.Combine(settings.StateDirectory, "journal"), host.Files);
        var configurations = ConfigurationsOf(parts, host.Files, file.Loaded);
        var current = new CurrentWatcher(parts.Store, settings.Store.Prefix, configurations, wakeUp.Ring, time, loggers.CreateLogger<CurrentWatcher>());

        EngineObserver? observed = null;
        void Changed() => observed?.Invalidate();
        void ChangedAndRing()
        {
            Changed();
            wakeUp.Ring();
        }

        var session = new EngineSession(engine, labels, ChangedAndRing, time, loggers.CreateLogger<EngineSession>());
        observed = new EngineObserver(engine, session, labels, wakeUp.Ring, time);
        var prober = new Prober(new HealthClient(time, host.Containers), ChangedAndRing, wakeUp.Ring, host.PortsOf, time);
        var observer = new Observer(
            observed,
            session,
            new ProxyObserver(parts.Proxy, wakeUp.Ring, time, loggers.CreateLogger<ProxyObserver>()),
            prober,
            configurations,
            new MissingConfigurations(configurations, wakeUp.Ring, time),
            current,
            new ObserverSettings(settings.Application, settings.RegistryPort));

        var pageClient = new PageClient(host.Containers, time);
        var maintenancePages = new MaintenancePages(Path.Combine(settings.StateDirectory, "maintenance.html"), pageClient, host.Files, loggers.CreateLogger<MaintenancePages>());
        var errorPages = new ErrorPageCache(Path.Combine(settings.StateDirectory, "error-pages.json"), pageClient, host.Files, time, loggers.CreateLogger<ErrorPageCache>());
        var pipelines = new Pipelines(time, random);
        var proxySettings = new ProxyActorSettings(installation, settings.Application);
        var runner = new EffectRunner(
            new EngineActor(engine, configurations, pipelines, ActorSettingsOf(settings, installation)),
            new ImageProvider(engine, parts.Store, pipelines, loggers.CreateLogger<ImageProvider>()),
            new ProxyActor(parts.Proxy, configurations, errorPages, maintenancePages, pipelines, proxySettings),
            configurations,
            parts.Counts,
            Changed,
            wakeUp.Ring,
            time,
            random,
            loggers.CreateLogger<EffectRunner>());
        var keeper = new ProxyKeeper(parts.Proxy, parts.Launcher, time, loggers.CreateLogger<ProxyKeeper>());
        Reconciler? reconciler = null;
        var certificates = CertificatesOf(parts, installation, () => WantedCertificates.Of(reconciler!.Status, configurations.Find), random);
        return reconciler = new Reconciler(
            observer,
            session,
            current,
            runner,
            file,
            engine,
            new PlanSettings { Application = settings.Application, Installation = installation, ProgressDeadline = settings.ProgressDeadline },
            maintenancePages,
            configurations,
            new CanaryKeys(parts.Store, settings.Store.Prefix, host.NewKey),
            certificates,
            new DrainLimits(parts.Proxy, proxySettings, wakeUp.Ring, time),
            new HostDrains(parts.Proxy, wakeUp.Ring),
            cancellationToken => DeploymentHistory.ReadAsync(parts.Store, settings.Store.Prefix, cancellationToken),
            parts.Counts,
            [session.RunAsync, current.RunAsync, keeper.RunAsync, .. parts.Companions, .. certificates is null ? [] : (Func<CancellationToken, Task>[])[certificates.RunAsync]],
            wakeUp,
            time,
            loggers.CreateLogger<Reconciler>());
    }

    private static CertificateKeeper? CertificatesOf(ControllerParts parts, string installation, Func<WantedCertificates?> wanted, Random random) => parts is { Settings.Acme: { } options, ProxyAcme: { } proxy }
        ? new CertificateKeeper(
            new CertificateOwner(parts.Settings.Application, installation),
            options,
            wanted,
            new AcmeStore(parts.Store, parts.Settings.Store.Prefix),
            proxy,
            new AcmeNetwork(AcmeClient.Handler(options.Authorities), AcmeClient.Handler(authorities: null)),
            parts.Time,
            random,
            parts.Loggers.CreateLogger<CertificateKeeper>())
        : null;

    /// <summary>Tells Controllers of one engine apart: what another one created is never touched. It follows from the state directory, so it survives the loss of what is in it.</summary>
    private static string InstallationOf(string stateDirectory) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(stateDirectory))))[..12];

    private static ConfigurationCache ConfigurationsOf(ControllerParts parts, IFileSystem files, Journal journal)
    {
        var folder = Path.Combine(parts.Settings.StateDirectory, "configurations");
        files.CreateDirectory(folder);
        var configurations = new ConfigurationCache(parts.Store, parts.Settings.Store.Prefix, folder, parts.Settings.Allow, files);
        if (!journal.NeedsAdoption)
            configurations.Trim(NeededBy(journal));
        return configurations;
    }

    private static HashSet<string> NeededBy(Journal journal) =>
    [
        .. journal.Purposes.Select(p => p.Hash),
        .. journal.History.Take(10),
        .. journal.Deployments.Select(d => d.Hash),
        .. new[] { journal.Desired?.Hash, journal.Pin?.Hash }.OfType<string>(),
    ];

    private static EngineActorSettings ActorSettingsOf(RunSettings settings, string installation) => new()
    {
        Installation = installation,
        Application = settings.Application,
        Environment = settings.ContainerEnvironment,
        FixedMode = settings.Addressing == Addressing.Published ? new AddressMode.Published() : null,
        Network = new NetworkSpec(
            settings.Network,
            settings.NetworkSubnet.ToString(),
            settings.NetworkDynamicRange.ToString(),
            new Dictionary<string, string> { [ManagedBy] = "true" }),
    };
}

/// <summary>What a reconciler finds on its host.</summary>
/// <param name="Engine">The Docker Engine.</param>
/// <param name="Files">The file system.</param>
/// <param name="Containers">How containers are reached.</param>
/// <param name="PortsOf">Looks up on which ports a process listens.</param>
/// <param name="Random">Source of the jitter.</param>
/// <param name="NewKey">Makes secret keys of 32 bytes.</param>
internal sealed record HostParts(IContainerEngine Engine, IFileSystem Files, HttpMessageHandler Containers, Func<int, ValueList<int>> PortsOf, Random Random, Func<byte[]> NewKey);
