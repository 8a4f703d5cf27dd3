using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Hooks;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Hooks;

/// <summary>Those who are told of ends and switches: a real web server and real programs.</summary>
public sealed class HookTests : IAsyncLifetime
{
    private const string Secret = "correct-horse-battery-staple";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly HookCall Call = new("shop", "web1", "0123456789abcdef0123456789abcdef", new HostEvent
    {
        Event = HostEventKind.DeploymentEnded,
        At = DateTimeOffset.UnixEpoch,
        Hash = new string('a', 64),
        Revision = "42",
        Deployment = "deploy-1",
        Kind = DeploymentKind.Deploy,
        End = DeploymentEnd.Failed,
        Message = "It exited.",
    });

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-hooks");
    private readonly ConcurrentQueue<(IHeaderDictionary Headers, byte[] Body)> _calls = new();
    private readonly ConcurrentQueue<int> _answers = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddSeconds(1_000));
    private readonly HttpClient _http = new();
    private WebApplication _server = null!;
    private Uri _address = null!;

    private static byte[] Json => JsonSerializer.SerializeToUtf8Bytes(Call, ContractsJson.Default.HookCall);

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        _server = builder.Build();
        _server.Run(TakeAsync);
        await _server.StartAsync();
        _address = new Uri(_server.Urls.First() + "/hook?token=hidden");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Webhook_is_told_in_json_with_a_signature_that_its_receiver_can_check()
    {
        await new Webhook(_http, _address, new HookSecret(Secret), _time).TellAsync(Call, Json, TestContext.Current.CancellationToken);

        var (headers, body) = Assert.Single(_calls);
        Assert.Equal(Call, JsonSerializer.Deserialize(body, ContractsJson.Default.HookCall));
        Assert.Equal("deployment-ended", headers["Wunderproxy-Event"]);
        Assert.Equal(Call.Delivery, headers["Wunderproxy-Delivery"]);
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes("1000." + Encoding.UTF8.GetString(body)));
        Assert.Equal($"t=1000,v1={Convert.ToHexStringLower(signature)}", headers["Wunderproxy-Signature"]);
    }

    [Theory]
    [InlineData(500, true)]
    [InlineData(429, true)]
    [InlineData(404, false)]
    [InlineData(302, false)]
    public async Task Webhook_that_refuses_is_tried_again_where_that_may_help(int status, bool isWorthAnotherTry)
    {
        _answers.Enqueue(status);
        var hook = new Webhook(_http, _address, new HookSecret(Secret), _time);

        var refused = await Assert.ThrowsAsync<HookException>(() => hook.TellAsync(Call, Json, CancellationToken.None));

        Assert.Equal(($"it answered {status}", isWorthAnotherTry), (refused.Message, refused.IsWorthAnotherTry));
        Assert.DoesNotContain("hidden", hook.Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_that_failed_is_tried_again_as_the_same_delivery()
    {
        _answers.Enqueue(500);
        var host = new FakeOperations();
        using var runner = new HookRunner(() => host, () => Task.CompletedTask, "shop", [new Webhook(_http, _address, new HookSecret(Secret), TimeProvider.System)], Ledger, _time, NullLogger<HookRunner>.Instance);
        using var end = new CancellationTokenSource();
        var running = runner.RunAsync(end.Token);

        End(host, "42");
        await Eventually.HoldsAsync("it was told again", _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(_calls.Count == 2);
        });

        Assert.Single(_calls.Select(call => (string?)call.Headers["Wunderproxy-Delivery"]).Distinct());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Program_is_told_by_its_input_and_variables_and_sees_nothing_else_of_ours()
    {
        var told = Path.Combine(_folder.FullName, "told");
        var program = Program($"cat > {told}; env >> {told}");

        await new HookProgram(program, TimeProvider.System).TellAsync(Call, Json, TestContext.Current.CancellationToken);

        var lines = await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken);
        Assert.StartsWith(Encoding.UTF8.GetString(Json), lines, StringComparison.Ordinal);
        Assert.Contains("WUNDERPROXY_EVENT=DeploymentEnded\n", lines, StringComparison.Ordinal);
        Assert.Contains($"WUNDERPROXY_DELIVERY={Call.Delivery}\n", lines, StringComparison.Ordinal);
        Assert.Contains("WUNDERPROXY_REVISION=42\n", lines, StringComparison.Ordinal);
        Assert.Contains("WUNDERPROXY_END=Failed\n", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET", lines, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Program_that_fails_is_told_of_with_its_exit_code()
    {
        var failed = await Assert.ThrowsAsync<HookException>(() => new HookProgram(Program("exit 3"), TimeProvider.System).TellAsync(Call, Json, CancellationToken.None));

        Assert.Equal("it exited with code 3", failed.Message);
    }

    [Fact]
    public async Task Program_that_hangs_is_killed_at_its_deadline_with_all_that_it_started()
    {
        var pid = Path.Combine(_folder.FullName, "pid");
        var hanging = new HookProgram(Program($"sleep 1000 & echo $! > {pid}; wait"), _time).TellAsync(Call, Json, CancellationToken.None);
        await Eventually.HoldsAsync("it runs", _ => Task.FromResult(File.Exists(pid) && new FileInfo(pid).Length > 0));

        _time.Advance(HookProgram.Limit);

        await Assert.ThrowsAsync<HookException>(() => hanging.WaitAsync(Limit));
        var child = int.Parse(await File.ReadAllTextAsync(pid), CultureInfo.InvariantCulture);
        await Eventually.HoldsAsync("its child is gone", async token => !Directory.Exists($"/proc/{child}") || (await File.ReadAllTextAsync($"/proc/{child}/stat", token)).Contains(") Z ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Hook_that_hangs_holds_up_neither_the_others_nor_what_happens_and_has_a_bounded_queue()
    {
        const int happened = HookLedger.MaxWaiting * 2;
        var host = new FakeOperations();
        var (hanging, told) = (new HangingHook(), new CountingHook());
        using var runner = new HookRunner(() => host, () => Task.CompletedTask, "shop", [hanging, told], Ledger, _time, NullLogger<HookRunner>.Instance);
        using var end = new CancellationTokenSource();
        var running = runner.RunAsync(end.Token);

        for (var i = 1; i <= happened; i++)
        {
            End(host, $"{i}");
            var revision = $"{i}";
            await Eventually.HoldsAsync($"{i} was told", _ => Task.FromResult(told.Calls.Any(call => call.Event.Revision == revision)));
        }

        Assert.Equal(1, hanging.Calls);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task What_was_not_told_when_the_controller_ended_is_told_after_its_next_start_as_the_same_delivery()
    {
        var host = new FakeOperations();
        var hanging = new HangingHook();
        await RunAsync(host, hanging, async () =>
        {
            End(host, "1");
            await Eventually.HoldsAsync("it is being told", () => hanging.Calls == 1);
        });

        var told = new CountingHook { Name = hanging.Name };
        await RunAsync(host, told, () => Eventually.HoldsAsync("it was told", () => !told.Calls.IsEmpty));
        var again = new CountingHook { Name = hanging.Name };
        await RunAsync(host, again, async () =>
        {
            End(host, "2");
            await Eventually.HoldsAsync("the next one was told", () => !again.Calls.IsEmpty);
        });

        var first = Assert.Single(told.Calls);
        Assert.Equal(("1", hanging.Latest!.Delivery), (first.Event.Revision, first.Delivery));
        Assert.Equal("2", Assert.Single(again.Calls).Event.Revision);
    }

    [Fact]
    public async Task What_happened_while_nobody_looked_after_the_hooks_is_told_once()
    {
        var host = new FakeOperations();
        await RunAsync(host, new CountingHook(), () => Eventually.HoldsAsync("the host was seen", () => File.Exists(Ledger)));
        End(host, "1");

        var (told, again) = (new CountingHook(), new CountingHook());
        await RunAsync(host, told, () => Eventually.HoldsAsync("it was told, and that is kept", () => !told.Calls.IsEmpty && !File.ReadAllText(Ledger).Contains("Delivery", StringComparison.Ordinal)));
        await RunAsync(host, again, () => Eventually.HoldsAsync("the host was looked at", () => host.Askings > 2));

        Assert.Equal("1", Assert.Single(told.Calls).Event.Revision);
        Assert.Empty(again.Calls);
    }

    [Fact]
    public async Task Hook_that_is_new_is_told_nothing_of_what_was_before()
    {
        var host = new FakeOperations();
        End(host, "1");
        var told = new CountingHook();

        await RunAsync(host, told, async () =>
        {
            await Eventually.HoldsAsync("the host was seen", () => File.Exists(Ledger));
            End(host, "2");
            await Eventually.HoldsAsync("it was told", () => !told.Calls.IsEmpty);
        });

        Assert.Equal("2", Assert.Single(told.Calls).Event.Revision);
    }

    [Fact]
    public async Task Ledger_that_can_be_neither_read_nor_written_keeps_nobody_from_being_told()
    {
        Directory.CreateDirectory(Path.Combine(Ledger, "in-the-way"));
        var host = new FakeOperations();
        var told = new CountingHook();

        await RunAsync(host, told, async () =>
        {
            await Eventually.HoldsAsync("the host was looked at", () => host.Askings > 0);
            End(host, "1");
            await Eventually.HoldsAsync("it was told", () => !told.Calls.IsEmpty);
        });
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Seen":{},"Waiting":{}}""")]
    [InlineData("nonsense")]
    public async Task Ledger_that_is_none_counts_as_new(string content)
    {
        await File.WriteAllTextAsync(Ledger, content, TestContext.Current.CancellationToken);
        var host = new FakeOperations();
        var told = new CountingHook();

        await RunAsync(host, told, async () =>
        {
            await Eventually.HoldsAsync("the host was seen", () => File.ReadAllText(Ledger).Contains("Waiting", StringComparison.Ordinal) && host.Askings > 0);
            End(host, "1");
            await Eventually.HoldsAsync("it was told", () => !told.Calls.IsEmpty);
        });

        Assert.Equal("1", Assert.Single(told.Calls).Event.Revision);
    }

    private string Ledger => Path.Combine(_folder.FullName, "hooks.json");

    // A Controller from its start to its end.
    private async Task RunAsync(FakeOperations host, IHook hook, Func<Task> meanwhile)
    {
        using var runner = new HookRunner(() => host, () => Task.CompletedTask, "shop", [hook], Ledger, _time, NullLogger<HookRunner>.Instance);
        using var end = new CancellationTokenSource();
        var running = runner.RunAsync(end.Token);
        await meanwhile();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static void End(FakeOperations host, string revision) => host.Status = host.Status with
    {
        Deployments = [FakeOperations.Running with { Id = revision, Revision = revision, End = DeploymentEnd.Succeeded, EndedAt = DateTimeOffset.UnixEpoch }],
    };

    private string Program(string script)
    {
        var path = Path.Combine(_folder.FullName, "hook");
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private async Task TakeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        _calls.Enqueue((new HeaderDictionary(context.Request.Headers.ToDictionary(h => h.Key, h => h.Value)), body.ToArray()));
        context.Response.StatusCode = _answers.TryDequeue(out var status) ? status : StatusCodes.Status204NoContent;
    }

    private sealed class HangingHook : IHook
    {
        private int _calls;

        public int Calls => _calls;

        public HookCall? Latest { get; private set; }

        public string Name => "hanging";

        public string Key => Name;

        public Task TellAsync(HookCall call, byte[] json, CancellationToken cancellationToken)
        {
            Latest = call;
            Interlocked.Increment(ref _calls);
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
    }

    private sealed class CountingHook : IHook
    {
        public ConcurrentQueue<HookCall> Calls { get; } = new();

        public string Name { get; init; } = "counting";

        public string Key => Name;

        public Task TellAsync(HookCall call, byte[] json, CancellationToken cancellationToken)
        {
            Calls.Enqueue(call);
            return Task.CompletedTask;
        }
    }
}
