using System.Globalization;
using System.IO.Pipes;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The access log of a Proxy, and what becomes of it when its file is renamed, full or slow.</summary>
public sealed class AccessLogTests : IDisposable
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-log-");

    private string File => Path.Combine(_folder.FullName, "access.log");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Line_of_a_request_says_who_asked_for_what_and_how_long_it_took()
    {
        await using var proxy = await RunningProxy.StartAsync(options => Json(options) with { TrustedProxies = [IPNetwork.Parse("127.0.0.0/8")] });
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address, "v1");
        await using var client = await proxy.ConnectAsync();
        await client.SendAsync(
            "POST /path?token=secret HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.7\r\nX-Request-Id: id-1\r\n"
            + "User-Agent: test/1\r\nReferer: http://a/?token=secret\r\n\r\nabc");
        await using var application = await backend.AcceptedAsync();
        await application.ReadMessageAsync();
        await application.SendAsync(Ok);
        await client.ReadMessageAsync();

        var line = Assert.Single(await LinesAsync(proxy, 1));

        Assert.Equal("id-1", Text(line, "request_id"));
        Assert.Equal("192.0.2.7", Text(line, "client"));
        Assert.Equal(("POST", "/path", "HTTP/1.1", "shop.example"), (Text(line, "method"), Text(line, "path"), Text(line, "protocol"), Text(line, "host")));
        Assert.Equal(("test/1", "http://a/"), (Text(line, "user_agent"), Text(line, "referer")));
        Assert.Equal(("shop", "v1"), (Text(line, "application"), Text(line, "revision")));
        Assert.Equal((200, 3, 2), (line.GetProperty("status").GetInt32(), line.GetProperty("bytes_in").GetInt32(), line.GetProperty("bytes_out").GetInt32()));
        var (head, upstream, all) = (Milliseconds(line, "upstream_head_ms"), Milliseconds(line, "upstream_ms"), Milliseconds(line, "duration_ms"));
        Assert.True(head > 0 && head <= upstream, $"{head} {upstream}");
        Assert.InRange(all, head, 60_000);
        Assert.DoesNotContain("secret", proxy.AccessLog.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_that_reach_no_application_have_lines_too()
    {
        await using var proxy = await RunningProxy.StartAsync(Json);
        await using (var client = await proxy.ConnectAsync())
        {
            await client.SendAsync("GET /a?token=secret HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadMessageAsync();
            await client.SendAsync("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadHeadAsync();
            await client.SendAsync("TRACE /b HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadMessageAsync();
        }

        var lines = await LinesAsync(proxy, 3);

        Assert.Equal(["/a 503", "* 204", "/b 405"], lines.Select(line => $"{Text(line, "path")} {line.GetProperty("status").GetInt32()}"));
        Assert.All(lines, line => Assert.Equal((null, JsonValueKind.Null, 32), (Text(line, "revision"), line.GetProperty("upstream_ms").ValueKind, Text(line, "request_id")!.Length)));
    }

    [Fact]
    public async Task Streams_and_upgrades_have_lines_when_they_have_ended()
    {
        await using var proxy = await RunningProxy.StartAsync(Json);
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await using var http2 = await Http2Connection.ConnectAsync(proxy.Address);
        await http2.SendHeadersAsync(1, Http2Connection.Get("/stream"));
        await using (var application = await backend.AcceptedAsync())
        {
            await application.ReadHeadAsync();
            await application.SendAsync(Ok);
            await http2.AnswerAsync(1);
        }

        await LinesAsync(proxy, 1);
        await using (var client = await proxy.ConnectAsync())
        {
            await client.SendAsync("GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
            await using var application = await backend.AcceptedAsync();
            await application.ReadHeadAsync();
            await application.SendAsync("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        }

        var lines = await LinesAsync(proxy, 2);

        Assert.Equal(["/stream HTTP/2 200", "/socket HTTP/1.1 101"], lines.Select(line => $"{Text(line, "path")} {Text(line, "protocol")} {line.GetProperty("status").GetInt32()}"));
        Assert.All(lines, line => Assert.True(Milliseconds(line, "upstream_head_ms") <= Milliseconds(line, "upstream_ms")));
    }

    [Fact]
    public async Task Renamed_file_is_written_on_until_the_hang_up_signal_and_no_line_is_lost_or_doubled()
    {
        const int requests = 2000;
        const int turns = 5;
        using var folder = new ProxyFolder();
        await using var backend = new RawBackend();
        backend.AnswerAll(Ok);
        await using var proxy = await folder.StartAsync(("WUNDERPROXY_ACCESS_LOG", File), ("WUNDERPROXY_ACCESS_LOG_FORMAT", "json"));
        await folder.PutAsync(backend.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        var turned = 0;
        for (var i = 0; i < requests; i++)
        {
            if (i % (requests / turns) == requests / turns / 2)
            {
                await Eventually.HoldsAsync("the file was opened anew", () => System.IO.File.Exists(File));
                System.IO.File.Move(File, $"{File}.{++turned}");
                await proxy.SignalAsync("HUP");
            }

            await client.SendAsync($"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n");
            await client.ReadMessageAsync();
        }

        await Eventually.HoldsAsync("all files are there", () => System.IO.File.Exists(File));
        await proxy.SignalAsync("TERM");
        Assert.Equal(0, await proxy.ExitCodeAsync());

        string[] files = [.. Enumerable.Range(1, turns).Select(turn => $"{File}.{turn}"), File];
        var lines = files.SelectMany(System.IO.File.ReadAllLines).Select(line => Text(JsonDocument.Parse(line).RootElement, "path"));
        Assert.Equal(Enumerable.Range(0, requests).Select(i => $"/{i}"), lines);
        Assert.True(files.Count(file => new FileInfo(file).Length > 0) > 2);
    }

    [Fact]
    public async Task File_that_cannot_be_opened_anew_leaves_the_former_one_in_use()
    {
        var words = new Words();
        await using (var log = new AccessLog(AccessLogFormat.Combined, new AccessLogFile(File), TimeProvider.System, words))
        {
            log.Write(Entry("/1"));
            await Eventually.HoldsAsync("the line is written", () => new FileInfo(File).Length > 0);
            System.IO.File.Move(File, File + ".1");
            Directory.CreateDirectory(File);
            log.Reopen();
            await Eventually.HoldsAsync("it is said", () => words.Said.Any(line => line.Contains("Could not open", StringComparison.Ordinal)));
            log.Write(Entry("/2"));
        }

        Assert.Equal(2, (await System.IO.File.ReadAllLinesAsync(File + ".1")).Length);
    }

    [Fact]
    public async Task File_that_was_cut_short_is_written_from_its_end_on()
    {
        await using (var log = new AccessLog(AccessLogFormat.Combined, new AccessLogFile(File), TimeProvider.System, NullLogger<AccessLog>.Instance))
        {
            log.Write(Entry("/1"));
            await Eventually.HoldsAsync("the line is written", () => new FileInfo(File).Length > 0);
            await new FileStream(File, FileMode.Truncate, FileAccess.Write, FileShare.ReadWrite).DisposeAsync();
            log.Write(Entry("/2"));
        }

        Assert.Contains("/2", Assert.Single(await System.IO.File.ReadAllLinesAsync(File)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Full_disk_is_said_once_and_requests_go_on()
    {
        const string full = "/dev/full";
        using var folder = new ProxyFolder();
        await using var backend = new RawBackend();
        backend.AnswerAll(Ok);
        await using var proxy = await folder.StartAsync(("WUNDERPROXY_ACCESS_LOG", full));
        await folder.PutAsync(backend.Address);
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        for (var round = 1; round <= 5; round++)
        {
            await client.SendAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.EndsWith("ok", await client.ReadMessageAsync(), StringComparison.Ordinal);
            await Eventually.HoldsAsync($"line {round} is counted as dropped", async _ => (await folder.StatusAsync()).AccessLogDropped == round);
        }

        await proxy.SignalAsync("TERM");
        var words = await proxy.ReadToEndAsync();
        Assert.Equal(1, words.Split('\n').Count(line => line.Contains($"Could not write the access log {full}", StringComparison.Ordinal)));
        Assert.Equal(0, await proxy.ExitCodeAsync());
    }

    [Fact]
    public async Task Output_that_nobody_reads_costs_lines_and_no_request()
    {
        await using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        await using var stuck = new AnonymousPipeClientStream(PipeDirection.Out, pipe.ClientSafePipeHandle);
        var words = new Words();
        var log = new AccessLog(AccessLogFormat.Json, new AccessLogFile(stuck), TimeProvider.System, words);
        var written = 0L;

        // Nobody reads: what is in the pipe and in memory is bounded, and this comes to an end all the same.
        while (log.Dropped < 1000)
        {
            log.Write(Entry($"/{written++}"));
        }

        Assert.InRange(written, 1000, 200_000);
        var reading = ReadLinesAsync(pipe, written - log.Dropped);
        await log.DisposeAsync();
        Assert.Equal(written - log.Dropped, (await reading).Count);
        Assert.Contains(words.Said, line => line.Contains("too slowly", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Log_that_cannot_be_opened_is_in_the_way_of_the_start()
    {
        var missing = Path.Combine(_folder.FullName, "missing", "access.log");

        var e = await Assert.ThrowsAsync<StartException>(() => RunningProxy.StartAsync(options => options with { AccessLog = missing }));

        Assert.Equal(ExitCode.CannotLog, e.ExitCode);
        Assert.Contains(missing, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--access-log", "GET /a HTTP/1.1")]
    [InlineData("--access-log --access-log-format json", "\"path\":\"/a\"")]
    [InlineData("--access-log -", "GET /a HTTP/1.1")]
    [InlineData("--access-log=true", "GET /a HTTP/1.1")]
    public async Task Standard_output_gets_the_lines_where_no_file_is_named(string options, string expected)
    {
        using var folder = new ProxyFolder();
        await using var proxy = await StartedProxy.StartAsync(ProxyFolder.Executable(["--listen", "127.0.0.1:0", "--control", folder.Control, "--state-dir", folder.State, .. options.Split(' ')]));
        await using var client = await RawConnection.ConnectAsync(proxy.Address);
        await client.SendAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadMessageAsync();

        await proxy.Said(expected);
    }

    [Theory]
    [InlineData("--access-log=false")]
    [InlineData("--access-log --no-access-log")]
    public async Task No_line_is_written_where_the_command_line_says_so(string options)
    {
        using var folder = new ProxyFolder();
        await using var proxy = await StartedProxy.StartAsync(ProxyFolder.Executable(["--listen", "127.0.0.1:0", "--control", folder.Control, "--state-dir", folder.State, .. options.Split(' ')]));

        Assert.Null((await folder.StatusAsync()).AccessLogDropped);
    }

    private static ProxyOptions Json(ProxyOptions options) => options with { AccessLog = ProxyOptions.StandardOutput, AccessLogFormat = AccessLogFormat.Json };

    private static AccessEntry Entry(string path) => new() { Id = new RequestId("id"), Method = "GET", Path = path, Protocol = "HTTP/1.1", Status = 200 };

    private static async Task<List<JsonElement>> LinesAsync(RunningProxy proxy, int count)
    {
        await Eventually.HoldsAsync($"{count} lines are there", () => proxy.AccessLog.ToString().Count(c => c == '\n') >= count);
        return [.. proxy.AccessLog.ToString().TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static async Task<List<string>> ReadLinesAsync(Stream stream, long count)
    {
        using var reader = new StreamReader(stream, leaveOpen: true);
        var lines = new List<string>();
        while (lines.Count < count && await reader.ReadLineAsync() is { } line)
        {
            Assert.Equal($"/{lines.Count.ToString(CultureInfo.InvariantCulture)}", Text(JsonDocument.Parse(line).RootElement, "path"));
            lines.Add(line);
        }

        return lines;
    }

    private static string? Text(JsonElement line, string name) => line.GetProperty(name).GetString();

    private static double Milliseconds(JsonElement line, string name) => line.GetProperty(name).GetDouble();

    /// <summary>What the log says about itself.</summary>
    private sealed class Words : ILogger<AccessLog>
    {
        private readonly List<string> _said = [];

        public IReadOnlyList<string> Said
        {
            get
            {
                lock (_said)
                {
                    return [.. _said];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_said)
            {
                _said.Add(formatter(state, exception));
            }
        }
    }
}
