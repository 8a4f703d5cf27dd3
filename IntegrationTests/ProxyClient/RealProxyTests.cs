using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.IntegrationTests.ProxyClient;

/// <summary>Launcher and client against the real Proxy, as a process of its own.</summary>
public sealed class RealProxyTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-real");
    private readonly ProxyControlClient _client;

    public RealProxyTests() => _client = new ProxyControlClient(At("proxy.sock"), TimeProvider.System);

    public void Dispose()
    {
        foreach (var started in File.Exists(At("pid")) ? File.ReadAllLines(At("pid")) : [])
        {
            using var process = Process.GetProcessById(int.Parse(started));
            process.Kill();
            process.WaitForExit();
        }

        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Started_proxy_is_found_running_by_the_next_launcher()
    {
        Assert.True(await EnsureRunningAsync("127.0.0.1:0"));
        Assert.False(await EnsureRunningAsync("127.0.0.1:0"));

        Assert.Single((await _client.GetStatusAsync(default)).Listening);
    }

    [Fact]
    public async Task Snapshot_fence_and_state_are_understood_by_both_sides()
    {
        await EnsureRunningAsync("127.0.0.1:0");
        var snapshot = new ApplicationSnapshot { Application = "shop", Installation = "i1", Generation = 2, Fence = 1 };

        Assert.Null(await _client.GetStateAsync("shop", default));
        Assert.Equal(2, Assert.IsType<ApplyOutcome.Applied>(await _client.ApplyAsync(snapshot, default)).State.Generation);
        Assert.IsType<FenceOutcome.Fenced>(await _client.FenceAsync("shop", new FenceRequest { Installation = "i1", Fence = 5, NotTarget = "c1" }, default));
        Assert.Equal(5, (await _client.GetStateAsync("shop", default))?.Fence);

        var older = await _client.ApplyAsync(snapshot with { Generation = 1 }, default);
        Assert.Equal(ControlProblem.StaleGeneration, Assert.IsType<ApplyOutcome.Refused>(older).Problem.Type);
        var foreign = await _client.ApplyAsync(snapshot with { Generation = 3, Installation = "i2" }, default);
        Assert.Equal(ControlProblem.ClaimedByOther, Assert.IsType<ApplyOutcome.Refused>(foreign).Problem.Type);
    }

    [Fact]
    public async Task Host_is_taken_out_of_service_and_brought_back()
    {
        await EnsureRunningAsync("127.0.0.1:0");

        Assert.Null(await _client.SetHostDrainAsync(true, default));
        Assert.NotNull((await _client.GetStatusAsync(default)).HostDrain);

        Assert.Null(await _client.SetHostDrainAsync(false, default));
        Assert.Null((await _client.GetStatusAsync(default)).HostDrain);
    }

    [Fact]
    public async Task Unhealthy_target_is_refused_by_the_proxy_itself()
    {
        await EnsureRunningAsync("127.0.0.1:0");
        var target = new Target { Release = "r", ContainerId = "c1", StartedAt = DateTimeOffset.UnixEpoch, Address = "127.0.0.1:1", Probe = new HealthProbe() };

        var outcome = await _client.ApplyAsync(new ApplicationSnapshot { Application = "shop", Installation = "i1", Generation = 1, Fence = 1, Target = target }, default);

        Assert.Equal(ControlProblem.TargetUnhealthy, Assert.IsType<ApplyOutcome.Refused>(outcome).Problem.Type);
    }

    [Fact]
    public async Task Taken_public_address_is_named_by_the_proxys_own_words()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var e = await Assert.ThrowsAsync<ProxyLaunchException>(() => EnsureRunningAsync($"{taken.LocalEndpoint}"));

        Assert.Contains($"{taken.LocalEndpoint}", e.Message, StringComparison.Ordinal);
    }

    private string At(string relative) => Path.Combine(_directory.FullName, relative);

    private async Task<bool> EnsureRunningAsync(string listen)
    {
        var executable = ProxyExecutable.Find(AppContext.BaseDirectory, null);
        Assert.NotNull(executable);
        var launch = new ProxyLaunch(executable, listen, [], At("proxy.sock"), At("proxy"), At("proxy.log"));
        var started = await new ProxyLauncher(launch, _client, TimeProvider.System, NullLogger<ProxyLauncher>.Instance).EnsureRunningAsync(default);
        if (started)
        {
            var status = await _client.GetStatusAsync(default);
            await File.AppendAllLinesAsync(At("pid"), [$"{status.ProcessId}"]);
        }

        return started;
    }
}
