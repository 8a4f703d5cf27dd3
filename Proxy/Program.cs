using System.CommandLine;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Tls;

var output = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
return await new CommandLine(Environment.GetEnvironmentVariable).InvokeAsync(args, RunAsync, output);

static async Task<ExitCode> RunAsync(ProxyOptions options)
{
    if (options.ListenTls.Count > 0)
    {
        CipherChoice.Prescribe();
    }

    var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, StopOrEnd);
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, StopOrEnd);
    using var loggers = LoggerFactory.Create(logging => logging
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)

        // What clients do wrong, with a line for each frame of a flood.
        .AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        }));
    try
    {
        await using var proxy = await ProxyHost.StartAsync(options, Console.OpenStandardOutput(), TimeProvider.System, loggers, CancellationToken.None);
        using var hangUp = options.AccessLog is null or ProxyOptions.StandardOutput ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reopen);
        ServiceNotification.Ready();
        await stop.Task;
        ServiceNotification.Stopping();
        await proxy.StopAsync(CancellationToken.None);
        return ExitCode.Stopped;

        // Whoever turns logs over renames the file and then says so.
        void Reopen(PosixSignalContext signal)
        {
            signal.Cancel = true;
            proxy.ReopenLog();
        }
    }
    catch (StartException e)
    {
        await Console.Error.WriteLineAsync(e.Message);
        return e.ExitCode;
    }

    // The first signal stops gracefully. The second one is left to the runtime, which ends the process.
    void StopOrEnd(PosixSignalContext signal) => signal.Cancel = stop.TrySetResult();
}
