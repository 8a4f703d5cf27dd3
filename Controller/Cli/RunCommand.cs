using System.CommandLine;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Hooks;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary><c>wunderproxy run BUCKET PREFIX APP</c>: the Controller of one application.</summary>
internal static partial class RunCommand
{
    public const string BucketMeaning = "An S3 bucket, or a directory with a slash in its name, such as ./store.";
    public const string PrefixMeaning = "Prefix of the application's keys: PREFIX/current.json and so on.";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const string Examples = """
        Examples:
          wunderproxy run deployments shop shop --cfg /etc/shop.env
          wunderproxy run ./store shop shop --state-dir ./state --proxy 127.0.0.1:8000 --api 127.0.0.1:8001
          WUNDERPROXY_S3_ENDPOINT=http://127.0.0.1:9000 wunderproxy run deployments shop shop --s3-path-style

        The strongest place wins: command line, environment, settings file, default.
        Credentials of S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the instance.
        SIGTERM stops the Controller; containers and Proxy go on.

        Exit codes:
          0 stopped   64 bad option or setting   66 no such directory   70 error of its own   74 state directory not writable
          80 API address taken   81 Proxy not started   82 another Controller runs for the application
        """;

    public static Command Define(CommandContext context)
    {
        var bucket = new Argument<string>("BUCKET") { Description = BucketMeaning };
        var prefix = new Argument<string>("PREFIX") { Description = PrefixMeaning };
        var application = new Argument<string>("APP") { Description = "Name of the application." };
        var command = new ExplainedCommand("run", "Runs the Controller of one application until it is stopped.", Examples) { bucket, prefix, application };
        var options = SettingOptions.AddTo(command, [.. RunOptions.All, RunOptions.Settings]);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var reader = options.Reader(parsed, context);
            var arguments = new RunArguments(parsed.GetRequiredValue(bucket), parsed.GetRequiredValue(prefix), parsed.GetRequiredValue(application));
            var settings = RunSettingsReader.Read(reader, arguments);
            return (int)(reader.Errors.Count == 0 ? await RunAsync(settings, context, cancellationToken) : Refuse("run", reader.Errors, context));
        });
        return command;
    }

    /// <summary>Says all that is wrong with the settings of a command.</summary>
    public static ExitCode Refuse(string command, IReadOnlyList<string> errors, CommandContext context)
    {
        foreach (var error in errors)
        {
            context.Error.WriteLine($"wunderproxy {command}: {error}");
        }

        context.Error.WriteLine($"See: wunderproxy {command} --help");
        return ExitCode.Usage;
    }

    /// <summary>Runs the Controller until it is cancelled.</summary>
    public static async Task<ExitCode> RunAsync(RunSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            CreateStateDirectory(settings.StateDirectory);
            var lockFile = Path.Combine(settings.StateDirectory, "controller.lock");
            using var alone = FileLock.TryAcquire(lockFile);
            if (alone is null)
            {
                return Fail(ExitCode.AnotherController, AnotherRuns(settings, FileLock.HolderOf(lockFile)), context);
            }

            await RunAloneAsync(settings, context, cancellationToken);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
        catch (Exception e) when (CodeOf(e) is { } code)
        {
            return Fail(code, e.Message, context);
        }
    }

    private static void CreateStateDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SettingException($"{RunOptions.StateDir.Option} '{path}' can't be created: {e.Message} Choose a directory that this user may write to.");
        }
    }

    private static async Task RunAloneAsync(RunSettings settings, CommandContext context, CancellationToken cancellationToken)
    {
        using var loggers = LogOutput.Open(settings.LogFormat);
        using var proxy = new ProxyControlClient(settings.ProxyControl, context.Time);
        var launcher = new ProxyLauncher(LaunchOf(settings), proxy, context.Time, loggers.CreateLogger<ProxyLauncher>());
        var store = settings.Store.Open(context.Time, settings.Poll);
        IReconciler? reconciler = null;
        using var measuring = new Measuring(settings, proxy, () => reconciler!.Status, loggers, context.Time);
        using var hooks = settings.Hooks is { } set ? HookRunner.Of(set, () => reconciler!, () => reconciler!.Started, settings.Application, Path.Combine(settings.StateDirectory, "hooks.json"), context.Time, loggers.CreateLogger<HookRunner>()) : null;
        reconciler = context.Reconciler(new ControllerParts(settings, store, proxy, launcher, loggers, context.Time)
        {
            ProxyAcme = proxy,
            Counts = measuring.Counts,
            Companions = [.. measuring.Companions, .. hooks is null ? [] : (Func<CancellationToken, Task>[])[hooks.RunAsync]],
        });

        // Beside what follows, for after a crash each tenth of a second counts.
        _ = Task.Run(() => reconciler.GetAcquaintedAsync(cancellationToken), CancellationToken.None);

        // The API first: if its address is taken, no Proxy was started in vain.
        await using var api = await AdminApi.StartAsync(new AdminApiSettings(settings.Api, settings.ApiToken) { Further = measuring.Map }, reconciler, reconciler.Started, context.Time, loggers, cancellationToken);
        await launcher.EnsureRunningAsync(cancellationToken);

        var logger = loggers.CreateLogger(typeof(RunCommand));
        Started(logger, settings.Application, store.Description, api.BoundAddress);
        try
        {
            await ReconcileAsync(reconciler, new ServiceNotification(context.Environment(ServiceNotification.Variable)), cancellationToken);
        }
        finally
        {
            Stopped(logger, settings.Application);
        }
    }

    private static async Task ReconcileAsync(IReconciler reconciler, ServiceNotification manager, CancellationToken cancellationToken)
    {
        var reconciling = reconciler.RunAsync(cancellationToken);
        try
        {
            if (await Task.WhenAny(reconciler.Started, reconciling) != reconciling)
            {
                manager.Ready();
            }

            await reconciling;
        }
        finally
        {
            manager.Stopping();
        }
    }

    private static ProxyLaunch LaunchOf(RunSettings settings) => new(
        ProxyExecutable.Find(AppContext.BaseDirectory, Environment.GetEnvironmentVariable("PATH")),
        AddressFor(settings, settings.Proxy),
        settings.ProxyOptions,
        settings.ProxyControl,
        Path.Combine(settings.StateDirectory, "proxy"),
        Path.Combine(settings.StateDirectory, "proxy.log"))
    {
        Tls = settings.ProxyTls is { } address ? new ProxyTls(AddressFor(settings, address), settings.ProxyCertificates, settings.ProxyClientCa) : null,
    };

    private static string AddressFor(RunSettings settings, ListenAddress address) => (settings.ProxyProtocol ? "proxy-protocol:" : "") + address;

    private static string AnotherRuns(RunSettings settings, int? holder) =>
        $"Another Controller runs for {settings.Application}{(holder is { } pid ? $" (pid {pid})" : "")}: it holds {settings.StateDirectory}. "
        + "Stop it first, or give this one a --state-dir of its own if it is for another application.";

    private static ExitCode? CodeOf(Exception failure) => failure switch
    {
        ListenException => ExitCode.PortTaken,
        ProxyLaunchException => ExitCode.ProxyNotStarted,
        StoreException { Fault: StoreFault.NotFound } => ExitCode.NotFound,
        StoreException or SettingException or DurableWriteException => ExitCode.NotAccessible,
        _ => null,
    };

    private static ExitCode Fail(ExitCode code, string message, CommandContext context)
    {
        context.Error.WriteLine($"wunderproxy run: {message}");
        return code;
    }

    [LoggerMessage(500, LogLevel.Information, "Started the Controller of {Application}: store {Store}, admin API at {Api}")]
    private static partial void Started(ILogger logger, string application, string store, string api);

    [LoggerMessage(502, LogLevel.Information, "Stopped the Controller of {Application}; containers and Proxy go on")]
    private static partial void Stopped(ILogger logger, string application);
}
