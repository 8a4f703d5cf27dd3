using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>Starts a Proxy where none answers on the control socket. It runs in a session of its own and outlives this process.</summary>
internal sealed partial class ProxyLauncher(ProxyLaunch launch, IProxyControl proxy, TimeProvider time, ILogger<ProxyLauncher> logger) : IProxyLauncher
{
    private static readonly TimeSpan AnswerDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    // One that is being started elsewhere has the port or the state directory already, and answers soon.
    private static readonly TimeSpan OtherDeadline = TimeSpan.FromSeconds(3);

    // The Proxy faces the internet: it gets no credentials from the environment, only its own settings and what a .NET process needs.
    private static readonly string[] InheritedVariables = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL"];
    private static readonly string[] InheritedPrefixes = ["DOTNET_", "WUNDERPROXY_"];

    private string LockFile => launch.ControlSocket + ".lock";

    public async Task<bool> EnsureRunningAsync(CancellationToken cancellationToken)
    {
        if (await AnswersAsync(cancellationToken))
        {
            return false;
        }

        using var deadline = new CancellationTokenSource(AnswerDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await StartOneAsync(either.Token, cancellationToken);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ProxyLaunchException(
                $"Another launch of the Proxy (by process {FileLock.HolderOf(LockFile)}) holds {LockFile}, and none answers on {launch.ControlSocket}. Look into {launch.LogFile}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            throw new ProxyLaunchException($"Start of the Proxy {launch.Executable} failed: {e.Message}", e);
        }
    }

    private async Task<bool> StartOneAsync(CancellationToken deadline, CancellationToken cancellationToken)
    {
        PrepareDirectories();
        using var alone = await EnterAsync(deadline);
        if (await AnswersAsync(deadline))
        {
            return false;
        }

        var executable = launch.Executable ?? throw new ProxyLaunchException(
            $"No Proxy answers on {launch.ControlSocket}, and there is no {ProxyExecutable.Name} beside this program or on the PATH to start. "
            + "Install it, or start it elsewhere and name its control socket with --proxy-control.");
        var log = ProxyLog.Prepare(launch.LogFile);
        using var process = Start(executable);
        await WaitForAnswerAsync(process, log, deadline, cancellationToken);
        if (process.HasExited)
        {
            return false;
        }

        ProxyStarted(process.Id, launch.ListenAddress, launch.ControlSocket);
        return true;
    }

    private void PrepareDirectories()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(launch.ControlSocket)!);
        Directory.CreateDirectory(Path.GetDirectoryName(launch.LogFile)!);
        Directory.CreateDirectory(launch.StateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private async Task<FileLock> EnterAsync(CancellationToken deadline)
    {
        while (true)
        {
            if (FileLock.TryAcquire(LockFile) is { } alone)
            {
                return alone;
            }

            await Task.Delay(LookInterval, time, deadline);
        }
    }

    private Process Start(string executable)
    {
        // The shell appends the output to the log and becomes setsid, which becomes the Proxy: the process keeps its id.
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = "/" };
        string[] arguments =
        [
            "-c", "exec setsid \"$@\" >>\"$0\" 2>&1 </dev/null", launch.LogFile,
            executable, "--listen", launch.ListenAddress, "--control", launch.ControlSocket, "--state-dir", launch.StateDirectory,
            .. launch.Options, .. ArgumentsFor(launch.Tls),
        ];
        Array.ForEach(arguments, start.ArgumentList.Add);
        foreach (var foreign in start.Environment.Keys.Where(name => !IsInherited(name)).ToList())
        {
            start.Environment.Remove(foreign);
        }

        return Process.Start(start)!;
    }

    private static IEnumerable<string> ArgumentsFor(ProxyTls? tls) => tls is null
        ? []
        : ["--listen-tls", tls.ListenAddress, "--certificates", tls.Certificates, .. tls.ClientAuthorities is { } file ? (string[])["--client-ca", file] : []];

    private static bool IsInherited(string variable) =>
        InheritedVariables.Contains(variable) || InheritedPrefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.Ordinal));

    private async Task WaitForAnswerAsync(Process process, ProxyLog log, CancellationToken deadline, CancellationToken cancellationToken)
    {
        long? exited = null;
        try
        {
            while (!await AnswersAsync(deadline))
            {
                exited ??= process.HasExited ? time.GetTimestamp() : null;
                if (exited is { } at && time.GetElapsedTime(at) >= OtherDeadline)
                {
                    throw new ProxyLaunchException(
                        $"The Proxy, started to listen on {launch.ListenAddress} (--proxy), ended with exit code {process.ExitCode} before it answered on {launch.ControlSocket}. What runs goes on. {Evidence(log)}");
                }

                await Task.Delay(LookInterval, time, deadline);
            }
        }
        catch (OperationCanceledException e)
        {
            // One that doesn't answer would only keep the port from the next one.
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ProxyLaunchException($"The Proxy didn't answer on {launch.ControlSocket} within {AnswerDeadline.TotalSeconds} s and was ended. {Evidence(log)}", e);
        }
    }

    private string Evidence(ProxyLog log) => $"The end of its log {launch.LogFile}:\n{log.Tail()}";

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        try
        {
            await proxy.GetStatusAsync(cancellationToken);
            return true;
        }
        catch (ProxyException)
        {
            return false;
        }
    }

    [LoggerMessage(450, LogLevel.Information, "Started the Proxy as process {ProcessId}, listening on {ListenAddress}, controlled at {ControlSocket}")]
    private partial void ProxyStarted(int processId, string listenAddress, string controlSocket);
}
