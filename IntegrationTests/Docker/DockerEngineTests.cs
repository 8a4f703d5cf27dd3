using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>What the client does on the wire, with an engine that answers as the test likes.</summary>
public sealed class DockerEngineTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["owner"] = "us" };

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("1.41", "1.41")]
    [InlineData("1.44", "1.44")]
    [InlineData("1.52", "1.52")]
    [InlineData("1.99", "1.52")]
    public async Task Smaller_of_both_newest_versions_is_spoken(string engine, string spoken)
    {
        await using var socket = await EngineSocket.AnswerAsync(304, "");
        socket.ApiVersion = engine;

        await socket.Engine().StartContainerAsync("c1", Token);

        Assert.Equal([$"POST /v{spoken}/containers/c1/start"], socket.Calls);
    }

    [Fact]
    public async Task Engine_that_is_too_old_is_refused_in_words()
    {
        await using var socket = await EngineSocket.AnswerAsync(304, "");
        socket.ApiVersion = "1.40";

        var failure = await FailsAsync(EngineFault.EngineError, () => socket.Engine().StartContainerAsync("c1", Token));

        Assert.Contains("speaks API 1.40, but at least 1.41 is needed", failure.Message, StringComparison.Ordinal);
        Assert.Empty(socket.Calls);
    }

    [Fact]
    public async Task Version_is_asked_for_anew_once_the_engine_was_away()
    {
        var broken = true;
        await using var socket = await EngineSocket.AnswerAsync(context =>
        {
            if (broken)
                context.Abort();
            else
                context.Response.StatusCode = 304;
            return Task.CompletedTask;
        });
        var engine = socket.Engine();
        await FailsAsync(EngineFault.Ambiguous, () => engine.StartContainerAsync("c1", Token));

        (broken, socket.ApiVersion) = (false, "1.52");
        await engine.StartContainerAsync("c1", Token);

        Assert.Equal("POST /v1.52/containers/c1/start", socket.Calls[^1]);
    }

    [Fact]
    public async Task Body_of_a_create_is_handed_over_as_it_is()
    {
        var sent = "";
        await using var socket = await EngineSocket.AnswerAsync(async context =>
        {
            sent = await new StreamReader(context.Request.Body).ReadToEndAsync();
            context.Response.StatusCode = 201;
            await context.Response.WriteAsync("""{"Id":"4f4f","Warnings":[]}""");
        });
        const string Body = """{"Image":"shop:1","FutureOption":{"n":1.50,"big":12345678901234567890},"HostConfig":{"Memory":0,"Other":[null,1e3]}}""";

        var id = await socket.Engine().CreateContainerAsync("a b", (JsonObject)JsonNode.Parse(Body)!, Token);

        Assert.Equal("4f4f", id);
        Assert.Equal(Body, sent);
        Assert.Equal(["POST /v1.41/containers/create?name=a%20b"], socket.Calls);
    }

    [Fact]
    public async Task Missing_socket_is_unreachable_and_the_message_says_what_to_do()
    {
        var failure = await FailsAsync(EngineFault.Unreachable, () => EngineAt("unix:///tmp/wp-no-such.sock").StartContainerAsync("c1", Token));
        Assert.Equal(
            "Docker Engine isn't reached at unix:///tmp/wp-no-such.sock: there is no such socket; start it, or give the right socket with --docker.", failure.Message);
    }

    [Fact]
    public async Task Socket_without_a_listener_is_unreachable()
    {
        var directory = Directory.CreateTempSubdirectory("wp-engine");
        var path = Path.Combine(directory.FullName, "docker.sock");
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            var failure = await FailsAsync(EngineFault.Unreachable, () => EngineAt("unix://" + path).StartContainerAsync("c1", Token));
            Assert.Contains("nothing listens there", failure.Message, StringComparison.Ordinal);
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Refused_TCP_connection_is_unreachable() =>
        await FailsAsync(EngineFault.Unreachable, () => EngineAt("tcp://127.0.0.1:1").GetInfoAsync(Token));

    [Theory]
    [InlineData("docker.sock")]
    [InlineData("http://localhost:2375")]
    [InlineData("unix://relative")]
    [InlineData("tcp://nobody")]
    public void Address_of_another_kind_is_refused(string address) =>
        Assert.Throws<FormatException>(() => EngineEndpoint.Parse(address));

    [Fact]
    public async Task Call_without_an_answer_is_ambiguous_once_its_deadline_is_over()
    {
        var time = new FakeTimeProvider();
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var socket = await EngineSocket.AnswerAsync(context => HangAsync(context, arrived));

        var stop = socket.Engine(time).StopContainerAsync("c1", TimeSpan.FromSeconds(9.5), Token);
        await arrived.Task.WaitAsync(Patience, TimeProvider.System, Token);
        time.Advance(TimeSpan.FromSeconds(39));
        Assert.False(stop.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        var failure = await FailsAsync(EngineFault.Ambiguous, () => stop);
        Assert.Contains("didn't answer within 40 s", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["POST /v1.41/containers/c1/stop?t=10"], socket.Calls);
    }

    [Fact]
    public async Task Connection_that_ends_without_an_answer_is_ambiguous_and_the_call_is_not_repeated()
    {
        await using var socket = await EngineSocket.AnswerAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        await FailsAsync(EngineFault.Ambiguous, () => socket.Engine().StartContainerAsync("c1", Token));

        Assert.Single(socket.Calls);
    }

    [Fact]
    public async Task Token_of_the_caller_ends_the_wait_as_a_cancellation()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var socket = await EngineSocket.AnswerAsync(context => HangAsync(context, arrived));

        var start = socket.Engine().StartContainerAsync("c1", end.Token);
        await arrived.Task.WaitAsync(Patience, TimeProvider.System, Token);
        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => start);
    }

    [Fact]
    public async Task Container_that_is_being_removed_counts_as_stopped_and_removed()
    {
        await using var socket = await EngineSocket.AnswerAsync(409, """{"message":"removal of container c1 is already in progress"}""");

        await socket.Engine().StopContainerAsync("c1", TimeSpan.Zero, Token);
        await socket.Engine().RemoveContainerAsync("c1", Token);

        Assert.Equal(2, socket.Calls.Count);
    }

    [Theory]
    [InlineData(500, "write /var/lib/docker/tmp: no space left on device", EngineFault.NoSpace)]
    [InlineData(500, "driver failed programming external connectivity on endpoint a: Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use", EngineFault.PortTaken)]
    [InlineData(403, "Address already in use", EngineFault.AddressTaken)]
    [InlineData(400, "OCI runtime create failed", EngineFault.BadRequest)]
    [InlineData(500, "something else", EngineFault.EngineError)]
    internal async Task Refused_start_is_told_by_its_cause(int status, string message, EngineFault fault)
    {
        await using var socket = await EngineSocket.AnswerAsync(status, new JsonObject { ["message"] = message }.ToJsonString());
        var failure = await FailsAsync(fault, () => socket.Engine().StartContainerAsync("c1", Token));
        Assert.Equal($"Start of container 'c1' failed: Docker Engine answered {status} '{message}'.", failure.Message);
    }

    [Fact]
    public async Task Value_of_an_environment_variable_is_in_no_message()
    {
        await using var socket = await EngineSocket.AnswerAsync(400, """{"message":"invalid environment variable: =hunter2"}""");
        var body = new JsonObject { ["Env"] = new JsonArray("=hunter2", "A=b") };

        var failure = await FailsAsync(EngineFault.BadRequest, () => socket.Engine().CreateContainerAsync("a", body, Token));

        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../images")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a?force=1")]
    public async Task What_is_no_name_of_a_container_never_becomes_part_of_a_path(string name)
    {
        await using var socket = await EngineSocket.AnswerAsync(204, "");
        await FailsAsync(EngineFault.BadRequest, () => socket.Engine().RemoveContainerAsync(name, Token));
        Assert.Empty(socket.Calls);
    }

    [Theory]
    [InlineData("manifest for localhost:8080/shop:2 not found: manifest unknown: manifest unknown", EngineFault.NotFound)]
    [InlineData("Get http://localhost:8080/v2/shop/manifests/1: no basic auth credentials", EngineFault.Unauthorized)]
    [InlineData("unauthorized: authentication required", EngineFault.Unauthorized)]
    [InlineData("toomanyrequests: You have reached your pull rate limit.", EngineFault.RegistryUnavailable)]
    [InlineData("filesystem layer verification failed for digest sha256:00", EngineFault.RegistryUnavailable)]
    [InlineData("failed to register layer: Error processing tar file(exit status 1): unexpected EOF", EngineFault.RegistryUnavailable)]
    [InlineData("failed to register layer: write /big: no space left on device", EngineFault.NoSpace)]
    [InlineData("devmapper: something odd", EngineFault.EngineError)]
    internal async Task Error_inside_the_stream_of_a_pull_is_told_by_its_cause(string message, EngineFault fault)
    {
        var error = new JsonObject { ["errorDetail"] = new JsonObject { ["message"] = message }, ["error"] = message };
        await using var socket = await EngineSocket.AnswerAsync(200, """{"status":"Pulling from shop","id":"1"}""" + "\r\n" + error.ToJsonString() + "\r\n");

        var failure = await FailsAsync(fault, () => socket.Engine().PullImageAsync("localhost:8080/shop:2", null, Token));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signature_in_an_address_is_in_no_message()
    {
        await using var socket = await EngineSocket.AnswerAsync(500, """{"message":"Get \"https://ci:hunter2@cdn/layer?X-Amz-Signature=abc\": EOF"}""");

        var failure = await FailsAsync(EngineFault.RegistryUnavailable, () => socket.Engine().PullImageAsync("shop", null, Token));

        Assert.Contains("https://cdn/layer?…", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abc", failure.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_tells_bytes_of_all_layers_and_asks_for_latest()
    {
        var told = new List<PullProgress>();
        await using var socket = await EngineSocket.AnswerAsync(200, """
            {"status":"Pulling from shop","id":"latest"}
            {"status":"Downloading","id":"a","progressDetail":{"current":100,"total":400}}
            {"status":"Downloading","id":"b","progressDetail":{"current":50,"total":60}}
            {"status":"Downloading","id":"a","progressDetail":{"current":400,"total":400}}
            {"status":"Pull complete","id":"a","progressDetail":{}}
            """);

        await socket.Engine().PullImageAsync("localhost:8080/shop", new Sink(told.Add), Token);

        Assert.Equal(new PullProgress("Pull complete", 450, 460), told[^1]);
        Assert.Equal(["POST /v1.41/images/create?fromImage=localhost%3A8080%2Fshop&tag=latest"], socket.Calls);
    }

    [Fact]
    public async Task Pull_that_only_retries_is_given_up_after_two_minutes_and_cancelled()
    {
        var time = new FakeTimeProvider();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var socket = await EngineSocket.AnswerAsync(async context =>
        {
            context.RequestAborted.Register(() => cancelled.SetResult());
            await SendAsync(context, """{"status":"Downloading","id":"a","progressDetail":{"current":1,"total":9}}""");
            for (var second = 5; second > 0; second--)
                await SendAsync(context, $$"""{"status":"Retrying in {{second}} seconds","id":"a"}""");
            await cancelled.Task;
        });

        var pull = socket.Engine(time).PullImageAsync("shop", new Sink(_ => told.TrySetResult()), Token);
        await told.Task.WaitAsync(Patience, TimeProvider.System, Token);
        time.Advance(TimeSpan.FromMinutes(2));

        await FailsAsync(EngineFault.RegistryUnavailable, () => pull);
        await cancelled.Task.WaitAsync(Patience, TimeProvider.System, Token);
    }

    [Fact]
    public async Task Credentials_of_the_registry_go_along_in_the_alphabet_that_the_engine_reads()
    {
        var header = "";
        await using var socket = await EngineSocket.AnswerAsync(context =>
        {
            header = context.Request.Headers["X-Registry-Auth"].ToString();
            return Task.CompletedTask;
        });
        var auth = Convert.ToBase64String(Encoding.UTF8.GetBytes("ci:s>c?ret~~:x"));
        var config = new JsonObject { ["auths"] = new JsonObject { ["https://localhost:8080/v1/"] = new JsonObject { ["auth"] = auth } } };
        await File.WriteAllLinesAsync(Path.Combine(socket.ConfigDirectory, "config.json"), [config.ToJsonString()], Token);

        await socket.Engine().PullImageAsync("localhost:8080/shop:1", null, Token);

        var sent = JsonNode.Parse(Convert.FromBase64String(header.Replace('-', '+').Replace('_', '/')))!;
        Assert.Equal(("ci", "s>c?ret~~:x"), ((string?)sent["username"], (string?)sent["password"]));
        Assert.DoesNotContain('+', header);
        Assert.DoesNotContain('/', header);
        Assert.Equal(0, header.Length % 4);
    }

    [Fact]
    public async Task Event_is_told_as_soon_as_it_happens_and_a_broken_stream_is_an_error()
    {
        var next = new SemaphoreSlim(0);
        await using var socket = await EngineSocket.AnswerAsync(async context =>
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await next.WaitAsync(context.RequestAborted);
            await SendAsync(context, """{"status":"die","id":"4f4f","Type":"container","Action":"die","Actor":{"ID":"4f4f","Attributes":{"exitCode":"1"}},"time":1}""");
            await next.WaitAsync(context.RequestAborted);
            context.Abort();
        });
        await using var events = socket.Engine().WatchAsync(Labels, Token).GetAsyncEnumerator(Token);

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(EngineEvent.Connected, events.Current);
        next.Release();
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(new EngineEvent("die", "4f4f"), events.Current);
        next.Release();
        await FailsAsync(EngineFault.Unreachable, async () => await events.MoveNextAsync());

        Assert.Contains(Uri.EscapeDataString("""["owner=us"]"""), Assert.Single(socket.Calls), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Log_line_without_an_end_is_cut_at_4_KiB()
    {
        await using var socket = await EngineSocket.AnswerAsync(async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/json", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync("""{"Id":"c1","Config":{"Tty":true}}""");
                return;
            }

            await context.Response.WriteAsync(new string('x', 100_000) + "\r\nlast\r\n");
        });

        var lines = await socket.Engine().GetLogTailAsync("c1", 5, Token);

        Assert.Equal([new string('x', 4096), "last"], lines);
    }

    private static DockerEngine EngineAt(string address) => new(
        EngineEndpoint.Parse(address),
        new RegistryCredentials("/nowhere", TimeProvider.System, NullLogger.Instance),
        new EngineDeadlines(),
        TimeProvider.System,
        NullLogger<DockerEngine>.Instance);

    private static async Task HangAsync(HttpContext context, TaskCompletionSource arrived)
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        context.RequestAborted.Register(() => aborted.SetResult());
        arrived.SetResult();
        await aborted.Task;
    }

    private static async Task SendAsync(HttpContext context, string message)
    {
        await context.Response.WriteAsync(message + "\r\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task<EngineException> FailsAsync(EngineFault fault, Func<Task> act)
    {
        var failure = await Assert.ThrowsAsync<EngineException>(act);
        Assert.True(failure.Fault == fault, $"{failure.Fault} instead of {fault}: {failure.Message}");
        return failure;
    }

    private sealed class Sink(Action<PullProgress> take) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => take(value);
    }
}
