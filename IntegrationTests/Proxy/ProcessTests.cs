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
    private readonly ProxyFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Killed_Proxy_serves_again_before_anybody_has_spoken_to_it()
    {
        await using var backend = new RawBackend();
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using (var first = await _folder.StartAsync())
        {
            await _folder.PutAsync(backend.Address);
            await first.KillAsync();
        }

        await using var second = await _folder.StartAsync();
        await using var client = await RawConnection.ConnectAsync(second.Address);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ordered_to_stop_it_finishes_what_runs_and_takes_nothing_new()
    {
        await using var backend = new RawBackend();
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
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

        Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
        await client.WaitForEndAsync();
        Assert.Equal(0, await proxy.ExitCodeAsync());
        Assert.False(File.Exists(_folder.Control));
    }

    [Fact]
    public async Task Second_signal_ends_it_at_once()
    {
        await using var backend = new RawBackend();
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
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
        await using var proxy = await _folder.StartAsync();
        var port = proxy.Address.ToString();
        var free = Path.Combine(_folder.Path, "free");

        Assert.Matches(@"\AThe Proxy can't listen on .*: Address already in use\. .*--listen.*\n\z", await FailAsync(3, "--listen", port, "--control", free + ".sock", "--state-dir", free));
        Assert.Matches(@"\AThe control socket .* can't be made: .*--control\.\n\z", await FailAsync(4, "--listen", "127.0.0.1:0", "--control", _folder.Control, "--state-dir", free));
        Assert.Matches(@"\AThe state directory .* can't be used: .*--state-dir\.\n\z", await FailAsync(5, "--listen", "127.0.0.1:0", "--control", free + ".sock", "--state-dir", _folder.State));
        Assert.Contains("--listen: 'nowhere' is not an address", await FailAsync(2, "--listen", "nowhere"), StringComparison.Ordinal);
        Assert.Contains("--stop-timeout: 'soon' is not a duration", await FailAsync(2, "--stop-timeout", "soon"), StringComparison.Ordinal);
        Assert.Contains("--peer: '10.0.0.2' is not an IP address and a port", await FailAsync(2, "--peer", "10.0.0.2"), StringComparison.Ordinal);
        Assert.Contains("--peer: --peer-key names no file", await FailAsync(2, "--peer", "10.0.0.2:80"), StringComparison.Ordinal);
        Assert.Contains("--peer-share: '101' is not a whole percent", await FailAsync(2, "--peer", "10.0.0.2:80", "--peer-key", "/none", "--peer-share", "101"), StringComparison.Ordinal);
        Assert.Contains("--peer-timeout: '10ms' is not a duration", await FailAsync(2, "--peer", "10.0.0.2:80", "--peer-key", "/none", "--peer-timeout", "10ms"), StringComparison.Ordinal);
        Assert.Contains("The key of the other hosts in /none can't be read", await FailAsync(2, "--peer", "10.0.0.2:80", "--peer-key", "/none"), StringComparison.Ordinal);
        Assert.Contains("--max-connections: '0' is not a whole number", await FailAsync(2, "--max-connections", "0"), StringComparison.Ordinal);
        Assert.Contains("--max-connections-per-client: 'many' is not a whole number", await FailAsync(2, "--max-connections-per-client", "many"), StringComparison.Ordinal);
        Assert.Contains("--buffer-memory: 'much' is not a size", await FailAsync(2, "--buffer-memory", "much"), StringComparison.Ordinal);
        Assert.Contains("--trusted-proxy: '10.0.0.0/99' is not", await FailAsync(2, "--trusted-proxy", "10.0.0.0/99"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_manager_is_told_when_it_serves()
    {
        var path = Path.Combine(_folder.Path, "notify.sock");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(path));

        await using var proxy = await _folder.StartAsync(("NOTIFY_SOCKET", path));

        var buffer = new byte[64];
        var length = await manager.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System);
        Assert.Equal("READY=1", Encoding.ASCII.GetString(buffer, 0, length));
    }

    [Fact]
    public async Task Options_are_read_from_the_environment_too()
    {
        var socket = Path.Combine(_folder.Path, "public.sock");

        await using var proxy = await _folder.StartAsync(("WUNDERPROXY_LISTEN", $"127.0.0.1:0,unix:{socket}"), ("WUNDERPROXY_CONTROL", _folder.Control), ("WUNDERPROXY_STATE_DIR", _folder.State));

        Assert.True(File.Exists(socket));
    }

    [Fact]
    public async Task Limit_of_descriptors_that_is_lowered_while_it_runs_costs_new_clients_only()
    {
        await using var backend = new RawBackend();
        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
        var open = proxy.Descriptors;

        await proxy.LimitDescriptorsAsync(open);
        var crowd = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => RawConnection.ConnectAsync(proxy.Address)));
        await Task.WhenAll(crowd.Select(client => client.TrySendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n")));
        await _folder.PutAsync(backend.Address);
        var before = proxy.CpuTime;
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);

        Assert.InRange(proxy.CpuTime - before, TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
        await Task.WhenAll(crowd.Select(client => client.DisposeAsync().AsTask()));
        Assert.EndsWith("ok", await AskUntilAnsweredAsync(proxy.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_of_one_connection_are_refused_where_there_are_no_descriptors_for_them()
    {
        // Some are kept for all else, and the connection has one itself.
        const int limit = 200;
        const int room = limit - 128 - 1;
        const int streams = 100;
        await using var backend = new RawBackend();
        await using var proxy = await _folder.StartAsync();
        await _folder.PutAsync(backend.Address);
        await proxy.LimitDescriptorsAsync(limit);
        await using var client = await Http2Connection.ConnectAsync(proxy.Address);
        foreach (var stream in Enumerable.Range(0, streams))
        {
            await client.SendHeadersAsync((2 * stream) + 1, Http2Connection.Get());
        }

        await client.ReadUntilAsync(_ => client.Seen.Count(frame => frame.Payload.StartsWith("503 ", StringComparison.Ordinal)) == streams - room);

        backend.AnswerAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        await client.ReadUntilAsync(_ => client.Seen.Count(frame => frame.Payload == "ok") == room);
        await client.SendHeadersAsync((2 * streams) + 1, Http2Connection.Get());
        Assert.Equal((200, "ok"), await client.AnswerAsync((2 * streams) + 1));
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

    private static async Task<string> FailAsync(int exitCode, params string[] arguments)
    {
        using var process = Process.Start(ProxyFolder.Executable(arguments))!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(exitCode == process.ExitCode, $"Exit code {process.ExitCode}: {error}");
        return error;
    }
}
