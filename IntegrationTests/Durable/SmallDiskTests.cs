using System.Diagnostics;
using Wunderproxy.Controller.Durable;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.Proxy.AccessLogs;

namespace Wunderproxy.IntegrationTests.Durable;

/// <summary>A real disk that is full: a tmpfs of one megabyte.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class SmallDiskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("wunderproxy-small-").FullName;

    public SmallDiskTests() => Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", _folder);

    public void Dispose()
    {
        Run("umount", _folder);
        Directory.Delete(_folder);
    }

    [Fact]
    public void Full_disk_refuses_growth_keeps_the_last_state_and_still_takes_what_fits_its_slots()
    {
        var path = Path.Combine(_folder, "shop");
        var slots = SlotFile.Open(path);
        slots.Save("small"u8);

        var failure = Assert.Throws<DurableWriteException>(() => slots.Save(new byte[600 * 1024]));
        Assert.Equal(DurableWriteFault.NoSpace, failure.Fault);
        Assert.Equal("small"u8, SlotFile.Open(path).Found.Newest!.Payload.Span);

        slots.Save("still fits"u8);
        Assert.Equal("still fits"u8, SlotFile.Open(path).Found.Newest!.Payload.Span);
        Assert.Equal([path + ".a", path + ".b"], Directory.GetFiles(_folder).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Full_disk_leaves_no_half_of_a_line_in_an_access_log_which_goes_on_when_there_is_room()
    {
        var path = Path.Combine(_folder, "access.log");
        var filler = Path.Combine(_folder, "filler");
        using var log = new AccessLogFile(path);
        log.Write("first\n"u8);
        using (var file = File.Create(filler))
            file.Write(new byte[900 * 1024]);
        Assert.Throws<IOException>(() => log.Write(Enumerable.Repeat((byte)'x', 600 * 1024).ToArray()));
        Assert.Equal("first\n", File.ReadAllText(path));

        File.Delete(filler);
        log.Write("second\n"u8);

        Assert.Equal("first\nsecond\n", File.ReadAllText(path));
    }

    [Fact]
    public async Task Full_disk_of_temporary_files_fails_no_request_which_goes_on_at_its_clients_pace()
    {
        const int large = 24_000_000;
        await using var it = await BufferingProxy.StartAsync(change: options => options with { BufferDirectory = _folder });
        await using var client = await it.ConnectAsync("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        await using var application = await it.Application.AcceptedSendingAsync();
        var body = new string('a', large);
        var sending = application.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {large}\r\n\r\n{body}");
        await it.UntilAsync(use => use is { DiskBytes: > 0, FileFailures: > 0, Full: 1 });
        Assert.False(sending.IsCompleted);

        await client.ReadHeadAsync();

        Assert.Equal(body, await client.ReadAsync(large));
        await sending;
        await it.UntilEmptyAsync();
    }

    private static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"'{command} {string.Join(' ', arguments)}' ended with {process.ExitCode}; these tests need root");
    }
}
