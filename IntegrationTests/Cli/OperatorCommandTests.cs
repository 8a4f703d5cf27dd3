using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Cli;

/// <summary>The commands of an operator against the real admin API.</summary>
public sealed class OperatorCommandTests : IAsyncLifetime
{
    private static readonly string Hash = FakeOperations.Hash;

    private readonly FakeOperations _operations = new();
    private readonly CommandRun _run = new();
    private AdminApi _api = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await AdminApi.StartAsync(new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))), _operations, Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        _run.Environment["WUNDERPROXY_API"] = _api.BoundAddress;
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _run.Dispose();
    }

    [Fact]
    public async Task Status_that_is_piped_is_one_line_of_json()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("status"));

        using var status = JsonDocument.Parse(Assert.Single(_run.Output.TrimEnd('\n').Split('\n')));
        Assert.Equal(Hash, status.RootElement.GetProperty("Active").GetString());
    }

    [Fact]
    public async Task Status_on_a_terminal_is_for_people()
    {
        _run.IsTerminal = true;

        Assert.Equal(ExitCode.Ok, await _run.Async("status"));

        Assert.Contains("Serves  2f1c9e0 (aaaaaaaaaaaa)", _run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "--json", '{')]
    [InlineData(false, "--json=false", 's')]
    public async Task Form_of_the_output_can_be_asked_for(bool isTerminal, string option, char first)
    {
        _run.IsTerminal = isTerminal;

        await _run.Async("status", option);

        Assert.Equal(first, _run.Output.Replace("\e[1m", "", StringComparison.Ordinal)[0]);
    }

    [Fact]
    public async Task Colours_are_left_out_where_nobody_wants_them()
    {
        _run.IsTerminal = true;
        _run.Environment["NO_COLOR"] = "1";

        await _run.Async("status");

        Assert.DoesNotContain('\e', _run.Output);
    }

    [Fact]
    public async Task Controller_that_is_not_reached_is_named_with_what_still_holds_and_what_to_do()
    {
        var port = FreePort.Next();

        Assert.Equal(ExitCode.Unreachable, await _run.Async("status", "--host", $"127.0.0.1:{port}"));

        Assert.Contains($"wunderproxy status: the Controller isn't reached at 127.0.0.1:{port}: Connection refused", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("what runs goes on without it", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("--host", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Controller_that_takes_calls_and_does_not_answer_is_given_up_at_the_deadline()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        Assert.Equal(ExitCode.Unreachable, await _run.Async("status", "--host", $"{silent.LocalEndpoint}", "--timeout", "50ms"));

        Assert.Contains("no answer within 50ms", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_whose_answer_never_came_is_told_to_be_unknown()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        Assert.Equal(ExitCode.TimedOut, await _run.Async("pause", "--host", $"{silent.LocalEndpoint}", "--timeout", "50ms"));

        Assert.Contains("may have been taken", _run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pause", "pause True", """{"Paused":true}""")]
    [InlineData("resume", "pause False", """{"Paused":false}""")]
    [InlineData("canary 10%", "canary 10", """{"Hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Percent":10}""")]
    [InlineData("canary off", "canary 0", """{"Hash":"","Percent":0}""")]
    [InlineData("drain-host --no-wait", "host drain True", """{"Drained":true}""")]
    [InlineData("undrain-host", "host drain False", """{"Drained":false}""")]
    [InlineData("maintenance up", "maintenance True", """{"MaintenanceMode":true}""")]
    [InlineData("maintenance down", "maintenance False", """{"MaintenanceMode":false}""")]
    public async Task Traffic_is_paused_and_maintained_by_command(string command, string order, string answer)
    {
        _operations.Admission = new Admission.Accepted(null);

        Assert.Equal(ExitCode.Ok, await _run.Async(command.Split(' ')));

        Assert.Equal([order], _operations.Orders);
        Assert.Equal(answer, _run.Output.Trim());
    }

    [Fact]
    public async Task Host_that_is_taken_out_of_service_is_followed_until_nothing_runs_there()
    {
        _operations.Admission = new Admission.Accepted(null);
        _operations.WhenOrdered = () => _operations.Status = OutOfService();

        Assert.Equal(ExitCode.Ok, await _run.Async("drain-host", "--quiet", "0s"));

        using var last = JsonDocument.Parse(_run.Output.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal(("HostDrain", "Idle"), (last.RootElement.GetProperty("News").GetString(), last.RootElement.GetProperty("End").GetString()));
    }

    [Fact]
    public async Task Host_that_is_not_idle_in_time_stays_out_of_service_and_says_so()
    {
        _operations.Admission = new Admission.Accepted(null);
        _operations.WhenOrdered = () => _operations.Status = OutOfService();

        Assert.Equal(ExitCode.TimedOut, await _run.Async("drain-host", "--quiet", "1h", "--timeout", "2s", "--json=false"));

        Assert.Contains("It stays out of service", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_that_is_drained_stays_out_of_service_where_the_command_is_interrupted()
    {
        _operations.Admission = new Admission.Accepted(null);
        using var interrupt = new CancellationTokenSource();
        var running = _run.Async(["drain-host", "--quiet", "1h"], interrupt.Token);
        await Eventually.HoldsAsync("the order came", () => !_operations.Orders.IsEmpty);

        await interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await running);
        Assert.Equal(["host drain True"], _operations.Orders);
    }

    [Fact]
    public async Task Status_of_a_host_that_is_out_of_service_says_so_first()
    {
        _operations.Status = OutOfService();

        await _run.Async("status", "--json=false");

        Assert.Contains("is out of service for 0 ms, and serves whoever comes: wunderproxy undrain-host brings it back", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_under_way_is_withdrawn_by_command()
    {
        _operations.Admission = new Admission.Accepted(null);
        _operations.Status = _operations.Status with { Deployments = [FakeOperations.Running] };
        _operations.WhenOrdered = () => _operations.Status = _operations.Status with { Deployments = [FakeOperations.Running with { End = DeploymentEnd.Cancelled }] };
        _run.IsTerminal = true;

        Assert.Equal(ExitCode.Ok, await _run.Async("abort"));

        Assert.Equal(["abort"], _operations.Orders);
        Assert.Contains($"Launch of 2f1c9e0 ({Hash[..12]}) was withdrawn; what serves, serves on.", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Order_that_the_present_state_forbids_is_refused_with_the_reason()
    {
        _operations.Admission = new Admission.Refused(Refusal.Conflict, "No deployment is under way. Nothing was changed.");

        Assert.Equal(ExitCode.Refused, await _run.Async("abort"));

        Assert.Contains("wunderproxy abort: No deployment is under way.", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Latest_deployment_is_tried_again_by_command()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("retry", "--no-wait"));

        Assert.Equal(["retry"], _operations.Orders);
    }

    [Fact]
    public async Task Share_that_is_none_is_refused_before_anybody_is_asked()
    {
        Assert.Equal(ExitCode.Usage, await _run.Async("canary", "ten"));

        Assert.Contains("SHARE 'ten' is no share of the clients", _run.Errors, StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Theory]
    [InlineData("launch")]
    [InlineData("switch")]
    public async Task Order_returns_at_once_where_that_is_wanted(string command)
    {
        Assert.Equal(ExitCode.Ok, await _run.Async(command, Hash[..6], "--no-wait"));

        Assert.Equal([$"{command} {Hash[..6]}"], _operations.Orders);
        Assert.Contains("deployment d1", _run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeploymentEnd.Succeeded, ExitCode.Ok)]
    [InlineData(DeploymentEnd.Failed, ExitCode.ReleaseFailed)]
    [InlineData(DeploymentEnd.RolledBack, ExitCode.RolledBack)]
    [InlineData(DeploymentEnd.Superseded, ExitCode.Superseded)]
    internal async Task Order_is_followed_to_its_end_which_the_exit_code_tells(DeploymentEnd end, ExitCode code)
    {
        _operations.Status = _operations.Status with { Deployments = [FakeOperations.Running with { Kind = DeploymentKind.Switch }] };
        var running = _run.Async("switch", Hash);
        await Eventually.HoldsAsync("the order came", () => !_operations.Orders.IsEmpty);

        _operations.Status = _operations.Status with { Deployments = [FakeOperations.Running with { Kind = DeploymentKind.Switch, End = end, Message = "ended so" }] };

        Assert.Equal(code, await running);
        using var last = JsonDocument.Parse(_run.Output.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal("End", last.RootElement.GetProperty("News").GetString());
    }

    [Fact]
    public async Task Order_that_does_not_end_in_time_goes_on_and_says_so()
    {
        _operations.Status = _operations.Status with { Deployments = [FakeOperations.Running] };

        Assert.Equal(ExitCode.TimedOut, await _run.Async("launch", Hash, "--timeout", "300ms", "--json=false"));

        Assert.Contains("goes on", _run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(Refusal.UnknownHash), ExitCode.NotFound)]
    [InlineData(nameof(Refusal.InvalidConfiguration), ExitCode.InvalidDocument)]
    [InlineData(nameof(Refusal.StoreUnavailable), ExitCode.StoreUnavailable)]
    [InlineData(nameof(Refusal.Conflict), ExitCode.Refused)]
    [InlineData(nameof(Refusal.NotDurable), ExitCode.Refused)]
    internal async Task Refused_order_is_told_with_the_reason_and_a_code_of_its_own(string refusal, ExitCode code)
    {
        _operations.Admission = new Admission.Refused(Enum.Parse<Refusal>(refusal), "because of this");

        Assert.Equal(code, await _run.Async("launch", Hash));

        Assert.Equal("wunderproxy launch: because of this", _run.Errors.Trim());
    }

    [Theory]
    [InlineData("launch shop.json", "'shop.json' is no hash")]
    [InlineData("switch 2F1C", "'2F1C' is no hash")]
    [InlineData("status --host ftp://a", "--host 'ftp://a'")]
    [InlineData("status --host a --host b", "--host")]
    [InlineData("status --timeout soon", "--timeout 'soon'")]
    [InlineData("drain-host --quiet soon", "--quiet 'soon'")]
    [InlineData("maintenance", "wunderproxy maintenance --help")]
    [InlineData("maintenance upp", "Did you mean up?")]
    public async Task Argument_that_can_not_be_used_is_named_before_anything_is_asked(string arguments, string said)
    {
        Assert.Equal(ExitCode.Usage, await _run.Async(arguments.Split(' ')));

        Assert.Contains(said, _run.Errors, StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Rollback_is_a_switch_to_the_former_release()
    {
        var former = new string('b', 64);
        _operations.Status = _operations.Status with { Releases = [.. _operations.Status.Releases, new ReleaseStatus { Hash = former, Revision = "v1", Phase = ReleasePhase.Draining }] };

        Assert.Equal(ExitCode.Ok, await _run.Async("rollback", "--no-wait", "--json=false"));

        Assert.Equal([$"switch {former}"], _operations.Orders);
        Assert.Contains("From 2f1c9e0 (aaaaaaaaaaaa) back to v1 (bbbbbbbbbbbb). It is warm", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollback_where_nothing_served_before_asks_for_a_hash()
    {
        Assert.Equal(ExitCode.NotFound, await _run.Async("rollback"));

        Assert.Contains("wunderproxy rollback HASH", _run.Errors, StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Theory]
    [InlineData("drain  end", "drain", "end")]
    [InlineData("drain aaaa end", "drain", "end", "aaaa")]
    [InlineData("drain  00:05:00", "drain", "extend")]
    [InlineData("drain aaaa 00:10:00", "drain", "extend", "aaaa", "--by", "10m")]
    public async Task Drain_is_ended_or_gets_more_time(string ordered, params string[] arguments)
    {
        _operations.Drained = new DrainOutcome.Done([SampleStatus.Eventful.Releases.Single(r => r.Hash == SampleStatus.Old).Traffic!]);

        Assert.Equal(ExitCode.Ok, await _run.Async([.. arguments, "--json=false"]));

        Assert.Equal([ordered], _operations.Orders);
        Assert.Contains("41 (aaaaaaaaaaaa)", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_that_is_none_is_refused_with_the_reason()
    {
        _operations.Drained = new DrainOutcome.Refused(DrainRefusal.NotDraining, "Nothing runs any more.");

        Assert.Equal(ExitCode.Refused, await _run.Async("drain", "end"));

        Assert.Contains("Nothing runs any more.", _run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("drain", "extend", "--by", "soon")]
    [InlineData("drain", "extend", "--by", "0s")]
    [InlineData("drain", "end", "nonsense")]
    public async Task Unclear_drain_reaches_nobody(params string[] arguments)
    {
        Assert.Equal(ExitCode.Usage, await _run.Async(arguments));

        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Order_shows_the_token_from_the_file_that_an_option_or_the_environment_names()
    {
        var file = _run.Write("token", "correct-horse-battery-staple\n");
        await using var api = await AdminApi.StartAsync(
            new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0)), new ApiToken("correct-horse-battery-staple")), _operations, Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        _operations.Admission = new Admission.Accepted(null);

        Assert.Equal(ExitCode.Refused, await _run.Async("pause", "--host", api.BoundAddress));
        Assert.Contains("--api-token-file", _run.Errors, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, await _run.Async("pause", "--host", api.BoundAddress, "--token-file", file));
        _run.Environment["WUNDERPROXY_API_TOKEN_FILE"] = file;
        Assert.Equal(ExitCode.Ok, await _run.Async("resume", "--host", api.BoundAddress));
        Assert.Equal(["pause True", "pause False"], _operations.Orders);
    }

    [Fact]
    public async Task Explanation_that_is_piped_is_one_line_of_json()
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("explain"));

        using var explanation = JsonDocument.Parse(Assert.Single(_run.Output.TrimEnd('\n').Split('\n')));
        Assert.Equal("Settled", explanation.RootElement.GetProperty("Row").GetString());
    }

    [Fact]
    public async Task Values_of_variables_are_shown_only_where_that_is_asked_for()
    {
        var file = _run.Write("shop.json", """{ "ContainerConfig": { "Image": "shop:v1", "Env": ["KEY=secret=1", "EMPTY="] } }""");

        Assert.Equal(ExitCode.Ok, await _run.Async("env", file, "--json=false"));
        Assert.Equal("KEY=(hidden)\nEMPTY=(hidden)\n", _run.Output.ReplaceLineEndings("\n"));

        Assert.Equal(ExitCode.Ok, await _run.Async("env", file, "--json=false", "--reveal"));
        Assert.EndsWith("KEY=secret=1\nEMPTY=\n", _run.Output.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "ContainerConfig": { "Image": "shop:v1" } }""", "shop:v1")]
    [InlineData("""{ "Revision": "v1", "ContainerConfig": {} }""", "localhost:8080/shop:v1")]
    public async Task Image_is_the_one_that_the_engine_is_asked_for(string configuration, string image)
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("image", _run.Write("shop.json", configuration), "--app", "shop"));

        Assert.Equal(image, _run.Output.Trim());
    }

    [Fact]
    public async Task Doctor_tells_every_finding_and_that_something_will_not_work()
    {
        Directory.CreateDirectory(_run.At("store"));

        Assert.Equal(ExitCode.NotWell, await _run.Async("doctor", _run.At("store"), "shop", "--docker", $"unix://{_run.At("none.sock")}", "--registry-port", $"{FreePort.Next()}"));

        var verdicts = _run.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(
            finding => finding.GetProperty("Subject").GetString()!, finding => finding.GetProperty("Verdict").GetString());
        Assert.Equal(("Wrong", "Well", "Well"), (verdicts["engine"], verdicts["conditional writes"], verdicts["controller"]));
    }

    [Fact]
    public void Log_is_that_of_the_release_that_serves_or_of_the_one_that_was_named()
    {
        var status = _operations.Status with
        {
            Releases =
            [
                new ReleaseStatus { Hash = Hash, Revision = "v1", Phase = ReleasePhase.Active, ContainerId = "c1" },
                new ReleaseStatus { Hash = new string('b', 64), Revision = "v2", Phase = ReleasePhase.Standby, ContainerId = "c2" },
                new ReleaseStatus { Hash = new string('d', 64), Revision = "v0", Phase = ReleasePhase.Rejected },
            ],
        };

        Assert.Equal("c1", LogsCommand.ContainerOf(status, null));
        Assert.Equal("c2", LogsCommand.ContainerOf(status, "bbbb"));
        Assert.Contains("no container any more", Assert.Throws<SettingException>(() => LogsCommand.ContainerOf(status, "dddd")).Message, StringComparison.Ordinal);
        Assert.Contains("no release begins with", Assert.Throws<SettingException>(() => LogsCommand.ContainerOf(status, "eeee")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("wunderproxy sta", "status")]
    [InlineData("wunderproxy maintenance d", "down")]
    [InlineData("wunderproxy status --wa", "--watch")]
    public async Task Bash_completes_commands_and_options(string line, string completed)
    {
        Assert.Equal(ExitCode.Ok, await _run.Async("completion", "bash"));
        var words = line.Split(' ');
        var script = $"""
            PATH={AppContext.BaseDirectory}:$PATH
            {_run.Output}
            COMP_LINE='{line}' COMP_POINT={line.Length} COMP_WORDS=({line}) COMP_CWORD={words.Length - 1}
            _wunderproxy
            echo "$COMPREPLY"
            """;

        Assert.Equal(completed, await Command.RunAsync("bash", ["-c", script], TimeSpan.FromSeconds(30)));
    }

    private StatusDocument OutOfService() => _operations.Status with
    {
        Proxy = new ProxyStatus { Version = "0.1.0", ProcessId = 1, StartedAt = DateTimeOffset.UnixEpoch, HeapSizeBytes = 0, HostDrain = new HostDrain { Since = _operations.Status.At } },
    };
}
