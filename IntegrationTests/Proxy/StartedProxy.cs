using System.Diagnostics;
using System.Net;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A Proxy that runs as a process of its own.</summary>
internal sealed class StartedProxy(Process process) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    public IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

    public int Id => process.Id;

    public int Descriptors => Directory.GetFiles($"/proc/{process.Id}/fd").Length;

    /// <summary>How many it may have.</summary>
    public int DescriptorLimit => int.Parse(
        File.ReadLines($"/proc/{process.Id}/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Bytes of physical memory that it has.</summary>
    public long Memory
    {
        get
        {
            process.Refresh();
            return process.WorkingSet64;
        }
    }

    /// <summary>The most that it has had.</summary>
    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public TimeSpan CpuTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public async Task LimitDescriptorsAsync(int count)
    {
        using var prlimit = Process.Start("prlimit", ["--pid", $"{process.Id}", $"--nofile={count}:{count}"]);
        await prlimit.WaitForExitAsync();
        Assert.Equal(0, prlimit.ExitCode);
    }

    public static async Task<StartedProxy> StartAsync(ProcessStartInfo start)
    {
        var proxy = new StartedProxy(Process.Start(start)!);
        var line = await proxy.Said("serves on");
        proxy.Address = IPEndPoint.Parse(line.Split("serves on ")[1].Split(',')[0]);
        return proxy;
    }

    public async Task<string> Said(string text)
    {
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Limit, TimeProvider.System) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new InvalidOperationException($"It ended without saying '{text}': {await process.StandardError.ReadToEndAsync()}");
    }

    /// <summary>What it says until it ends.</summary>
    public Task<string> ReadToEndAsync() => process.StandardOutput.ReadToEndAsync().WaitAsync(Limit, TimeProvider.System);

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async Task<int> ExitCodeAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Limit, TimeProvider.System);
        return process.ExitCode;
    }

    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Limit, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await KillAsync();
        }

        process.Dispose();
    }
}
