using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Events;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Api;

public sealed class EventCallsTests : IAsyncLifetime
{
    private readonly FakeOperations _operations = new() { Status = SampleStatus.Eventful };
    private readonly FakeTimeProvider _time = new(SampleStatus.Now);
    private AdminApi _api = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await StartAsync();
        _client = ClientOf(_api);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task New_listener_gets_the_whole_status_first()
    {
        using var events = await EventStream.OpenAsync(_client);

        var first = await events.NextAsync();

        Assert.Equal("text/event-stream", events.Answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(("status", "shop"), (first.Name, first.Json.GetProperty("Application").GetString()));
    }

    [Fact]
    public async Task Change_comes_as_single_events_and_the_status_after_them()
    {
        using var events = await EventStream.OpenAsync(_client);
        await events.NextAsync();

        Deploy(SampleStatus.Next, ReleasePhase.Activating);

        var told = await TellAsync(events);
        Assert.Equal(["phase-changed", "status"], told.Select(e => e.Name));
        Assert.Equal(("Activating", "43"), (told[0].Json.GetProperty("Phase").GetString(), told[0].Json.GetProperty("Revision").GetString()));
    }

    [Fact]
    public async Task Listener_that_comes_back_gets_what_it_has_missed_and_no_more()
    {
        string? last;
        using (var events = await EventStream.OpenAsync(_client))
        {
            last = (await events.NextAsync()).Id;
        }

        Deploy(SampleStatus.Next, ReleasePhase.Activating);
        Deploy(SampleStatus.Next, ReleasePhase.Probation);
        using var again = await EventStream.OpenAsync(_client, last);
        var missed = await again.UntilStatusAsync();
        using var later = await EventStream.OpenAsync(_client, missed[0].Id);

        Assert.Equal(["phase-changed", "phase-changed", "status"], missed.Select(e => e.Name));
        Assert.Equal(missed.Skip(1), await later.UntilStatusAsync());
    }

    [Fact]
    public async Task Listener_of_the_former_process_gets_the_whole_status_first()
    {
        string? last;
        using (var events = await EventStream.OpenAsync(_client))
        {
            last = (await events.NextAsync()).Id;
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        await using var next = await StartAsync();
        using var client = ClientOf(next);
        using var again = await EventStream.OpenAsync(client, last);

        Assert.Equal("status", (await again.NextAsync()).Name);
    }

    [Fact]
    public async Task Unreadable_id_is_that_of_nobody()
    {
        foreach (var id in new[] { "", "x", "1-2-3", "19b-", "-7" })
        {
            using var events = await EventStream.OpenAsync(_client, id);
            Assert.Equal("status", (await events.NextAsync()).Name);
        }
    }

    [Fact]
    public async Task Statuses_are_at_least_a_quarter_of_a_second_apart_and_nothing_is_lost_between_them()
    {
        using var events = await EventStream.OpenAsync(_client);
        await events.NextAsync();
        await Eventually.HoldsAsync("the feed has told the first status", () => _operations.Askings == 1);

        foreach (var phase in new[] { ReleasePhase.Activating, ReleasePhase.Probation, ReleasePhase.Active })
        {
            Deploy(SampleStatus.Next, phase);
        }

        var told = await TellAsync(events);
        Assert.Equal(["phase-changed", "phase-changed", "phase-changed", "status"], told.Select(e => e.Name));
    }

    [Fact]
    public async Task Quiet_is_told_by_comments()
    {
        using var events = await EventStream.OpenAsync(_client);
        await events.NextAsync();

        var line = events.LineAsync();
        await Eventually.HoldsAsync("a comment has come", async _ =>
        {
            _time.Advance(EventCalls.KeepAlive);
            await Eventually.PassAsync(TimeSpan.FromMilliseconds(10));
            return line.IsCompleted;
        });

        Assert.StartsWith(":", await line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_that_differs_in_its_time_alone_is_no_event()
    {
        using var events = await EventStream.OpenAsync(_client);
        await events.NextAsync();

        _operations.Status = _operations.Status with { At = SampleStatus.Now.AddSeconds(2), HeapSize = 1 };
        _operations.Status = _operations.Status with { At = SampleStatus.Now.AddSeconds(4), Paused = true };

        Assert.True((Assert.Single(await TellAsync(events))).Json.GetProperty("Paused").GetBoolean());
    }

    [Fact]
    public async Task Nobody_is_followed_while_nobody_listens()
    {
        Deploy(SampleStatus.Next, ReleasePhase.Activating);
        Assert.Equal(0, _operations.Askings);

        using (var events = await EventStream.OpenAsync(_client))
        {
            await events.NextAsync();
        }

        await Eventually.HoldsAsync("the last listener is gone", async _ =>
        {
            var before = _operations.Askings;
            _operations.Status = _operations.Status with { Requests = _operations.Status.Requests + 1 };
            _time.Advance(EventFeed.Interval);
            await Eventually.PassAsync(TimeSpan.FromMilliseconds(50));
            return _operations.Askings == before;
        });
    }

    [Fact]
    public async Task Listeners_are_limited_and_one_that_leaves_makes_room()
    {
        var events = new List<EventStream>();
        for (var i = 0; i < EventFeed.MaxListeners; i++)
        {
            events.Add(await EventStream.OpenAsync(_client));
        }

        using (var refused = await _client.GetAsync("/events"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        events[0].Dispose();
        await Eventually.HoldsAsync("there is room", async _ =>
        {
            using var again = await EventStream.OpenAsync(_client);
            return again.Answer.StatusCode == HttpStatusCode.OK;
        });
        events.ForEach(e => e.Dispose());
    }

    [Fact]
    public async Task Listener_that_takes_nothing_is_cut_and_the_others_get_everything()
    {
        using var slow = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(IPEndPoint.Parse(new Uri(_api.BoundAddress).Authority));
        await slow.SendAsync(Encoding.ASCII.GetBytes("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        using var quick = await EventStream.OpenAsync(_client);
        await quick.NextAsync();
        var padding = new string('x', 200_000);

        for (var i = 0; i <= EventListener.MaxWaiting + 100; i++)
        {
            _operations.Status = _operations.Status with { Requests = i, DockerState = padding };
            Assert.Equal(i, (await TellAsync(quick)).Single().Json.GetProperty("Requests").GetInt64());
        }

        // What was sent before it was cut is still there; then the connection is over.
        var buffer = new byte[1 << 20];
        await Eventually.HoldsAsync("it is cut", async token =>
        {
            try
            {
                return await slow.ReceiveAsync(buffer, token) == 0;
            }
            catch (SocketException)
            {
                return true;
            }
        });
    }

    [Fact]
    public async Task Stop_of_the_controller_ends_the_events()
    {
        using var events = await EventStream.OpenAsync(_client);
        await events.NextAsync();

        await _api.DisposeAsync();

        await Assert.ThrowsAnyAsync<IOException>(events.NextAsync);
    }

    private static HttpClient ClientOf(AdminApi api) => new() { BaseAddress = new Uri(api.BoundAddress), Timeout = TimeSpan.FromSeconds(60) };

    private Task<AdminApi> StartAsync() => AdminApi.StartAsync(
        new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))), _operations, Task.CompletedTask, _time, NullLoggerFactory.Instance, default);

    /// <summary>Lets the next statuses be told.</summary>
    private async Task<IReadOnlyList<ReceivedEvent>> TellAsync(EventStream events)
    {
        var told = events.UntilStatusAsync();
        await Eventually.HoldsAsync("it is told", async _ =>
        {
            _time.Advance(EventFeed.Interval);
            await Task.WhenAny(told, Eventually.PassAsync(TimeSpan.FromMilliseconds(2)));
            return told.IsCompleted;
        });
        return await told;
    }

    private void Deploy(string hash, ReleasePhase phase)
    {
        var status = _operations.Status;
        _operations.Status = status with
        {
            Deployments = [.. status.Deployments.Select(d => d.Hash == hash ? d with { Phases = [.. d.Phases, new PhaseEntry(phase, SampleStatus.Now.AddSeconds(d.Phases.Count))] } : d)],
        };
    }
}
