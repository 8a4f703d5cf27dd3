using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Cli;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Cli;

/// <summary>Deployments into a real directory, followed at a real admin API behind which the test decides what happens.</summary>
public sealed class DeployCommandTests : IAsyncLifetime
{
    private const string First = """{ "Revision": "v1", "ContainerConfig": { "Image": "shop:v1", "Env": ["KEY=secret-one"] } }""" + "\n";
    private const string Second = """{ "Revision": "v2", "ContainerConfig": { "Image": "shop:v2", "Env": ["KEY=secret-two"] } }""" + "\n";

    private readonly FakeOperations _operations = new();
    private readonly CommandRun _run = new();
    private AdminApi _api = null!;

    private string Current => _run.At("store/shop/current.json");

    public async ValueTask InitializeAsync()
    {
        _api = await AdminApi.StartAsync(new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))), _operations, Task.CompletedTask, TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None);
        _run.Environment["WUNDERPROXY_API"] = _api.BoundAddress;
        _run.Environment["WUNDERPROXY_BUCKET"] = Directory.CreateDirectory(_run.At("store")).FullName;
        _run.Environment["WUNDERPROXY_PREFIX"] = "shop";
        _operations.Status = _operations.Status with { Active = null, Releases = [] };
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _run.Dispose();
    }

    [Theory]
    [InlineData(DeploymentEnd.Succeeded, ExitCode.Ok)]
    [InlineData(DeploymentEnd.Failed, ExitCode.ReleaseFailed)]
    [InlineData(DeploymentEnd.Superseded, ExitCode.Superseded)]
    [InlineData(DeploymentEnd.RolledBack, ExitCode.RolledBack)]
    internal async Task Deployment_is_published_and_followed_to_its_end_which_the_exit_code_tells(DeploymentEnd end, ExitCode code)
    {
        var running = _run.Async("deploy", _run.Write("shop.json", First));
        await Eventually.HoldsAsync("it is published", () => File.Exists(Current));

        TellHost(First, end);

        Assert.Equal(code, await running);
        Assert.Equal(First, await File.ReadAllTextAsync(Current));
        Assert.Equal(["Changes", "Published", "Began", "Phase", "End"], News());
        Assert.Equal(HashOf(First), History.Read(await File.ReadAllBytesAsync(_run.At("store/shop/history.json"))).Entries[^1].Hash);
    }

    [Fact]
    public async Task Deployment_into_a_directory_that_no_host_can_have_as_its_store_is_refused_and_makes_none()
    {
        _run.Environment["WUNDERPROXY_BUCKET"] = _run.At("stroe");

        Assert.Equal(ExitCode.NotFound, await _run.Async("deploy", _run.Write("shop.json", First), "--no-wait"));

        Assert.Contains($"'{_run.At("stroe")}' is absent", _run.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_run.At("stroe")));
    }

    [Fact]
    public async Task Deployment_tells_what_changes_without_any_value_of_the_environment()
    {
        await DeployAsync(First);

        await DeployAsync(Second, "--json=false");

        Assert.Contains("v2 (", _run.Output, StringComparison.Ordinal);
        Assert.Contains("""~  ContainerConfig.Image    "shop:v1" -> "shop:v2" """.Trim(), _run.Output, StringComparison.Ordinal);
        Assert.Contains("~  ContainerConfig.Env.KEY  (hidden) -> another value", _run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_published_where_the_host_can_not_be_asked()
    {
        Assert.Equal(ExitCode.Unreachable, await _run.Async("deploy", _run.Write("shop.json", First), "--host", $"127.0.0.1:{FreePort.Next()}"));

        Assert.False(File.Exists(Current));
        Assert.Contains("nothing was published", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_with_errors_is_not_published_and_each_is_told_with_line_and_column()
    {
        var file = _run.Write("shop.json", "{\n  \"Revison\": \"1\",\n  \"ContainerConfig\": { \"Image\": \"shop\" }\n}");

        Assert.Equal(ExitCode.InvalidDocument, await _run.Async("deploy", file, "--no-wait"));

        Assert.StartsWith($"{file}:2:3: $.Revison:", _run.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Current));
    }

    [Fact]
    public async Task Deployment_that_another_one_overtakes_changes_nothing_and_is_told_who_won()
    {
        await DeployAsync(First);
        var documents = new StoreSettings { Bucket = _run.At("store"), Prefix = "shop", S3PathStyle = false };
        var publication = new Publication(documents.Open(TimeProvider.System), "shop", TimeProvider.System);
        var seen = await publication.ReadCurrentAsync(CancellationToken.None);
        await DeployAsync(Second);

        var late = new LaunchDocument("late.json", Encoding.UTF8.GetBytes(First));
        var lost = await Assert.ThrowsAsync<PublicationException>(() => publication.MakeCurrentAsync(late, seen, "v1", "late", CancellationToken.None));

        Assert.Contains($"It is v2 ({HashOf(Second)[..12]}), deployed by {Environment.UserName}@", lost.Message, StringComparison.Ordinal);
        Assert.Equal(Second, await File.ReadAllTextAsync(Current));
    }

    [Fact]
    public async Task Of_deployments_at_once_one_wins_and_the_others_are_told_or_come_after_it()
    {
        Directory.CreateDirectory(_run.At("store"));
        using var other = new CommandRun();
        foreach (var (name, value) in _run.Environment)
            other.Environment[name] = value;

        ExitCode[] codes = await Task.WhenAll(
            _run.Async("deploy", _run.Write("shop.json", First), "--no-wait"), other.Async("deploy", other.Write("shop.json", Second), "--no-wait"));

        Assert.Contains(ExitCode.Ok, codes);
        Assert.All(codes, code => Assert.True(code is ExitCode.Ok or ExitCode.Refused));
        var history = History.Read(await File.ReadAllBytesAsync(_run.At("store/shop/history.json"))).Entries;
        Assert.Equal(codes.Count(code => code == ExitCode.Ok), history.Count);
        Assert.Equal(HashOf(await File.ReadAllTextAsync(Current)), history[^1].Hash);
    }

    [Fact]
    public async Task Published_configuration_is_deployed_again_by_the_beginning_of_its_hash()
    {
        await DeployAsync(First);
        await DeployAsync(Second);

        Assert.Equal(ExitCode.Ok, await _run.Async("deploy", HashOf(First)[..8], "--no-wait"));

        Assert.Equal(First, await File.ReadAllTextAsync(Current));
    }

    [Fact]
    public async Task Interrupted_deployment_goes_on_and_it_is_told_how_to_follow_it()
    {
        using var interrupt = new CancellationTokenSource();
        var running = _run.Async(["deploy", _run.Write("shop.json", First)], interrupt.Token);
        await Eventually.HoldsAsync("it is published", () => File.Exists(_run.At("store/shop/history.json")));

        await interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await running);
        Assert.Contains($"{HashOf(First)[..12]} is published and goes on. wunderproxy status --watch follows it", _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_tells_what_would_change_and_changes_nothing()
    {
        await DeployAsync(First);

        Assert.Equal(ExitCode.Ok, await _run.Async("plan", _run.Write("next.json", Second)));

        using var line = JsonDocument.Parse(_run.Output.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal(HashOf(First), line.RootElement.GetProperty("Before").GetString());
        Assert.Equal(["Revision", "ContainerConfig.Image", "ContainerConfig.Env.KEY"], line.RootElement.GetProperty("Changes").EnumerateArray().Select(change => change.GetProperty("Path").GetString()));
        Assert.Equal(First, await File.ReadAllTextAsync(Current));
    }

    [Fact]
    public async Task Plan_against_what_serves_tells_that_it_is_not_current_json()
    {
        await DeployAsync(First);
        await DeployAsync(Second);
        _operations.Status = _operations.Status with { Active = HashOf(First) };

        Assert.Equal(ExitCode.Ok, await _run.Async("plan", "current", "--json=false"));

        Assert.Contains($"against what serves at {_api.BoundAddress}: v1 ({HashOf(First)[..12]}), which is not current.json", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_is_made_of_the_documents_alone_where_no_host_answers()
    {
        await DeployAsync(First);

        Assert.Equal(ExitCode.Ok, await _run.Async("plan", _run.Write("next.json", Second), "--json=false", "--host", $"127.0.0.1:{FreePort.Next()}"));

        Assert.Contains("Compared with the documents only", _run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_files_are_compared_without_a_store()
    {
        _run.Environment.Clear();

        Assert.Equal(ExitCode.Ok, await _run.Async("diff", _run.Write("a.json", First), _run.Write("b.json", Second), "--json=false"));

        Assert.Contains("~  ContainerConfig.Env.KEY  (hidden) -> another value", _run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("diff nowhere.json other.json", "FILE 'nowhere.json' doesn't exist")]
    [InlineData("diff aaaa bbbb", "'aaaa' is neither a file here nor the beginning of a hash")]
    [InlineData("diff current current", "nothing was deployed yet")]
    [InlineData("plan abcd", "'abcd' is neither a file here nor the beginning of a hash")]
    public async Task Document_that_is_not_there_is_named(string arguments, string said)
    {
        Directory.CreateDirectory(_run.At("store"));

        Assert.Equal(ExitCode.NotFound, await _run.Async(arguments.Split(' ')));

        Assert.Contains(said, _run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_is_told_newest_first_and_marks_what_is_current()
    {
        await DeployAsync(First);
        await DeployAsync(Second);

        Assert.Equal(ExitCode.Ok, await _run.Async("history", "--json=false"));

        var lines = _run.Output.TrimEnd('\n').Split('\n')[^3..];
        Assert.Matches($"^DEPLOYED +BY +REVISION +HASH$", lines[0]);
        Assert.Matches($" v2 +{HashOf(Second)[..12]}  current.json$", lines[1]);
        Assert.Matches($" v1 +{HashOf(First)[..12]}$", lines[2]);
    }

    [Fact]
    public async Task History_that_is_piped_is_a_line_of_json_for_each_deployment()
    {
        await DeployAsync(First);
        var before = _run.Output.Length;

        Assert.Equal(ExitCode.Ok, await _run.Async("history"));

        using var entry = JsonDocument.Parse(_run.Output[before..].Trim());
        Assert.Equal(HashOf(First), entry.RootElement.GetProperty("Hash").GetString());
    }

    [Fact]
    public async Task Store_that_is_not_named_is_asked_for()
    {
        _run.Environment.Clear();

        Assert.Equal(ExitCode.Usage, await _run.Async("history"));

        Assert.Contains("BUCKET is missing", _run.Errors, StringComparison.Ordinal);
        Assert.Contains("PREFIX is missing", _run.Errors, StringComparison.Ordinal);
    }

    private static string HashOf(string text) => ContentHash.Of(Encoding.UTF8.GetBytes(text));

    private async Task DeployAsync(string configuration, params string[] options) =>
        Assert.Equal(ExitCode.Ok, await _run.Async(["deploy", _run.Write("shop.json", configuration), "--no-wait", .. options]));

    private void TellHost(string configuration, DeploymentEnd end)
    {
        var hash = HashOf(configuration);
        var deployment = FakeOperations.Running with
        {
            Id = "deploy-1",
            Kind = DeploymentKind.Deploy,
            Hash = hash,
            End = end,
            Phases = [new(ReleasePhase.Accepted, DateTimeOffset.UnixEpoch)],
        };
        _operations.Status = _operations.Status with { Current = new CurrentStatus(hash, null), Deployments = [deployment], Active = end == DeploymentEnd.Succeeded ? hash : null };
    }

    private IEnumerable<string?> News() => _run.Output.TrimEnd('\n').Split('\n').Select(line =>
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("News").GetString();
    });
}
