using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.IntegrationTests.ProxyClient;

public sealed class ProxyLauncherTests : IDisposable
{
    private const string UntilKilled = "exec sleep 60";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-launch");

    public void Dispose()
    {
        foreach (var id in StartedIds())
        {
            KillIfAlive(id);
        }

        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Running_proxy_is_left_alone()
    {
        Executable("exit 1");
        await File.Create(At("answers")).DisposeAsync();

        Assert.False(await Launcher().EnsureRunningAsync(default));
    }

    [Fact]
    public async Task Absent_proxy_is_started_with_its_arguments_in_a_session_of_its_own()
    {
        Executable($"echo \"$@\" >{At("arguments")}; ps -o sid= -p $$ >{At("session")}; touch {At("answers")}; {UntilKilled}");

        Assert.True(await Launcher().EnsureRunningAsync(default));

        var id = Assert.Single(StartedIds());
        Assert.Equal(id, int.Parse(await File.ReadAllTextAsync(At("session"))));
        Assert.Equal($"--listen 127.0.0.1:81 --control {At("run/proxy.sock")} --state-dir {At("state/proxy")} --trusted-proxy 10.0.0.0/8\n", await File.ReadAllTextAsync(At("arguments")));
    }

    [Fact]
    public async Task Proxy_that_is_to_speak_tls_is_told_where_and_with_what()
    {
        Executable($"echo \"$@\" >{At("arguments")}; touch {At("answers")}; {UntilKilled}");

        await Launcher(tls: new ProxyTls("127.0.0.1:443", "/etc/certificates", "/etc/clients.pem")).EnsureRunningAsync(default);

        Assert.EndsWith(" --listen-tls 127.0.0.1:443 --certificates /etc/certificates --client-ca /etc/clients.pem\n", await File.ReadAllTextAsync(At("arguments")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_proxy_gets_no_credentials_from_the_environment()
    {
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "secret of this test");
        Executable($"env >{At("environment")}; touch {At("answers")}; {UntilKilled}");

        await Launcher().EnsureRunningAsync(default);

        var environment = await File.ReadAllTextAsync(At("environment"));
        Assert.Contains("PATH=", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("secret of this test", environment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_that_ends_at_once_is_reported_with_the_end_of_its_log()
    {
        Directory.CreateDirectory(At("state"));
        await File.AppendAllTextAsync(At("state/proxy.log"), "line of an earlier start\n");
        Executable("echo 'Address 127.0.0.1:81 is taken.' >&2; exit 7");

        var time = new FakeTimeProvider();
        var launching = Launcher(time).EnsureRunningAsync(default);
        while (!launching.IsCompleted)
        {
            await Task.Delay(1);
            time.Advance(TimeSpan.FromMilliseconds(StartedIds() is [var id] && !Directory.Exists($"/proc/{id}") ? 20 : 0));
        }

        var e = await Assert.ThrowsAsync<ProxyLaunchException>(() => launching);

        Assert.Contains("(--proxy), ended with exit code 7", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("Address 127.0.0.1:81 is taken.", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("earlier start", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Proxy_that_ends_because_another_one_is_just_being_started_is_no_failure()
    {
        Executable($"(sleep 0.2; touch {At("answers")}) & echo 'The state directory is in use.' >&2; exit 5");

        Assert.False(await Launcher().EnsureRunningAsync(default));
    }

    [Fact]
    public async Task Proxy_that_does_not_answer_within_10_seconds_is_ended()
    {
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.Zero };
        Executable(UntilKilled);

        var launching = Launcher(time).EnsureRunningAsync(default);
        while (!launching.IsCompleted)
        {
            await Task.Delay(1);
            time.Advance(StartedIds().Count == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(1));
        }

        await Assert.ThrowsAsync<ProxyLaunchException>(() => launching);
        using var ended = Process.GetProcesses().FirstOrDefault(process => process.Id == Assert.Single(StartedIds()));
        Assert.True(ended is null || ended.WaitForExit(5_000));
    }

    [Fact]
    public async Task Two_launchers_at_once_start_one_proxy()
    {
        Executable($"sleep 0.3; touch {At("answers")}; {UntilKilled}");

        var started = await Task.WhenAll(Launcher().EnsureRunningAsync(default), Launcher().EnsureRunningAsync(default));

        Assert.Equal(1, started.Count(one => one));
        Assert.Single(StartedIds());
    }

    [Fact]
    public async Task Log_is_private_and_a_large_one_is_set_aside()
    {
        Directory.CreateDirectory(At("state"));
        await File.WriteAllLinesAsync(At("state/proxy.log"), Enumerable.Repeat(new string('x', 1023), 10_241));
        Executable($"echo started; touch {At("answers")}; {UntilKilled}");

        await Launcher().EnsureRunningAsync(default);

        Assert.Equal("started\n", await File.ReadAllTextAsync(At("state/proxy.log")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("state/proxy.log")));
        Assert.True(File.Exists(At("state/proxy.log.1")));
    }

    [Fact]
    public async Task Executable_that_cannot_be_run_is_named()
    {
        var e = await Assert.ThrowsAsync<ProxyLaunchException>(() => Launcher().EnsureRunningAsync(default));

        Assert.Contains(At("proxy.sh"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Executable_is_looked_for_beside_then_in_the_development_tree_then_on_the_path()
    {
        var beside = At("tree/Controller/bin/Debug/net10.0");
        var development = At("tree/Proxy/bin/Debug/net10.0");
        var onPath = At("usr/bin");
        string? Find() => ProxyExecutable.Find(beside + "/", $"/nowhere:{onPath}");

        Assert.Null(Find());
        foreach (var directory in (string[])[onPath, development, beside])
        {
            Directory.CreateDirectory(directory);
            File.Create(Path.Combine(directory, ProxyExecutable.Name)).Dispose();
            Assert.Equal(Path.Combine(directory, ProxyExecutable.Name), Find());
        }
    }

    private string At(string relative) => Path.Combine(_directory.FullName, relative);

    private void Executable(string script)
    {
        using (var file = File.CreateText(At("proxy.sh")))
        {
            file.Write($"#!/bin/sh\necho $$ >>{At("ids")}\n{script}\n");
        }

        File.SetUnixFileMode(At("proxy.sh"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private ProxyLauncher Launcher(TimeProvider? time = null, ProxyTls? tls = null)
    {
        var launch = new ProxyLaunch(At("proxy.sh"), "127.0.0.1:81", ["--trusted-proxy", "10.0.0.0/8"], At("run/proxy.sock"), At("state/proxy"), At("state/proxy.log")) { Tls = tls };
        return new ProxyLauncher(launch, new FileControl(At("answers")), time ?? TimeProvider.System, NullLogger<ProxyLauncher>.Instance);
    }

    private List<int> StartedIds() => File.Exists(At("ids")) ? [.. File.ReadAllLines(At("ids")).Select(int.Parse)] : [];

    private static void KillIfAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill(entireProcessTree: true);
        }
        catch (ArgumentException)
        {
            // It has ended.
        }
    }

    /// <summary>Answers once a file exists.</summary>
    private sealed class FileControl(string file) : IProxyControl
    {
        public Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return File.Exists(file)
                ? Task.FromResult(new ProxyStatus { Version = "1", ProcessId = 1, StartedAt = default, HeapSizeBytes = 0 })
                : Task.FromException<ProxyStatus>(new ProxyException(ProxyFault.Unreachable, "There is none."));
        }

        public Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
