using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The real executable as a process of its own.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");

    private string Control => Path.Combine(_folder.FullName, "control.sock");

    private string State => Path.Combine(_folder.FullName, "state");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Killed_Proxy_serves_again_before_anybody_has_spoken_to_it()
    {
        await using var backend = new RawBackend();
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using (var first = await StartAsync())
        {
            await PutAsync(backend.Address);
            await first.KillAsync();
        }

        await using var second = await StartAsync();
        await using var client = await RawConnection.ConnectAsync(second.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ordered_to_stop_it_finishes_what_runs_and_takes_nothing_new()
    {
        await using var backend = new RawBackend();
        await using var proxy = await StartAsync();
        await PutAsync(backend.Address);
        await using var idle = await RawConnection.ConnectAsync(proxy.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await backend.AcceptedAsync();
        await application.ReadHeadAsync();

        await proxy.SignalAsync("TERM");
        await proxy.Said("Stopping");
        await idle.WaitForEndAsync();
        await Assert.ThrowsAsync<SocketException>(() => RawConnection.ConnectAsync(proxy.Address));
        await application.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

        var answer = await client.ReadMessageAsync();
        Assert.Contains("\r\nConnection: close\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith("ok", answer, StringComparison.Ordinal);
        Assert.Equal(0, await proxy.ExitCodeAsync());
        Assert.False(File.Exists(Control));
    }

    [Fact]
    public async Task Second_signal_ends_it_at_once()
    {
        await using var backend = new RawBackend();
        await using var proxy = await StartAsync();
        await PutAsync(backend.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await backend.AcceptedAsync();

        await proxy.SignalAsync("TERM");
        await proxy.Said("Stopping");
        await proxy.SignalAsync("TERM");

        await proxy.ExitCodeAsync();
        await client.WaitForEndAsync();
    }

    [Fact]
    public async Task What_is_in_the_way_of_a_start_is_said_in_one_line_with_an_exit_code_of_its_own()
    {
        await using var proxy = await StartAsync();
        var port = proxy.Address.ToString();
        var free = Path.Combine(_folder.FullName, "free");

        Assert.Matches(@"\AThe Proxy can't listen on .*: Address already in use\. .*--listen.*\n\z", await FailAsync(3, "--listen", port, "--control", free + ".sock", "--state-dir", free));
        Assert.Matches(@"\AThe control socket .* can't be made: .*--control\.\n\z", await FailAsync(4, "--listen", "127.0.0.1:0", "--control", Control, "--state-dir", free));
        Assert.Matches(@"\AThe state directory .* can't be used: .*--state-dir\.\n\z", await FailAsync(5, "--listen", "127.0.0.1:0", "--control", free + ".sock", "--state-dir", State));
        Assert.Contains("--listen: 'nowhere' is not an address", await FailAsync(2, "--listen", "nowhere"), StringComparison.Ordinal);
        Assert.Contains("--stop-timeout: 'soon' is not a duration", await FailAsync(2, "--stop-timeout", "soon"), StringComparison.Ordinal);
        Assert.Contains("--trusted-proxy: '10.0.0.0/99' is not", await FailAsync(2, "--trusted-proxy", "10.0.0.0/99"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_manager_is_told_when_it_serves()
    {
        var path = Path.Combine(_folder.FullName, "notify.sock");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));

        await using var proxy = await StartAsync(("NOTIFY_SOCKET", path));

        var buffer = new byte[64];
        var length = await manager.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System);
        Assert.Equal("READY=1", Encoding.ASCII.GetString(buffer, 0, length));
    }

    [Fact]
    public async Task Options_are_read_from_the_environment_too()
    {
        var socket = Path.Combine(_folder.FullName, "public.sock");

        await using var proxy = await StartAsync(("WUNDERPROXY_LISTEN", $"127.0.0.1:0,unix:{socket}"), ("WUNDERPROXY_CONTROL", Control), ("WUNDERPROXY_STATE_DIR", State));

        Assert.True(File.Exists(socket));
    }

    [Fact]
    public async Task Limit_of_descriptors_that_is_lowered_while_it_runs_costs_new_clients_only()
    {
        await using var backend = new RawBackend();
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = await StartAsync();
        await PutAsync(backend.Address);
        var open = proxy.Descriptors;

        await proxy.LimitDescriptorsAsync(open);
        var crowd = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => RawConnection.ConnectAsync(proxy.Address)));
        await Task.WhenAll(crowd.Select(client => client.TrySendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
        await PutAsync(backend.Address, generation: 2);
        var before = proxy.CpuTime;
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);

        Assert.InRange(proxy.CpuTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
        await Task.WhenAll(crowd.Select(client => client.DisposeAsync().AsTask()));
        Assert.EndsWith("ok", await AskUntilAnsweredAsync(proxy.Address), StringComparison.Ordinal);
    }

    // Descriptors of clients that have left are free an instant later.
    private static async Task<string> AskUntilAnsweredAsync(IPEndPoint address)
    {
        for (var attempt = 0; ; attempt++)
        {
            await using var client = await RawConnection.ConnectAsync(address);
            if (await client.TrySendAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") && await client.TryReadToEndAsync() is { Length: > 0 } answer)
            {
                return answer;
            }

            Assert.True(attempt < 100, "Nobody answers.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static ProcessStartInfo Executable(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "wunderproxy-proxy")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    private async Task PutAsync(IPEndPoint backend, long generation = 1)
    {
        using var control = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Control), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var snapshot = new ApplicationSnapshot
        {
            Application = "shop",
            Installation = "i1",
            Generation = generation,
            Fence = generation,
            Target = RunningProxy.TargetAt(backend),
        };
        var body = System.Text.Json.JsonSerializer.Serialize(snapshot, ContractsJson.Default.ApplicationSnapshot);
        using var answer = await control.PutAsync("http://control/applications/shop", new StringContent(body));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private Task<StartedProxy> StartAsync(params (string Name, string Value)[] environment)
    {
        var start = environment.Any(variable => variable.Name == "WUNDERPROXY_LISTEN")
            ? Executable()
            : Executable("--listen", "127.0.0.1:0", "--control", Control, "--state-dir", State);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return StartedProxy.StartAsync(start);
    }

    private static async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        using var process = Process.Start(Executable(arguments))!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(exitCode == process.ExitCode, $"Exit code {process.ExitCode}: {error}");
        return error;
    }

    private sealed class StartedProxy(Process process) : IAsyncDisposable
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

        public IPEndPoint Address { get; private set; } = new(IPAddress.None, 0);

        public int Descriptors => Directory.GetFiles($"/proc/{process.Id}/fd").Length;

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
}
