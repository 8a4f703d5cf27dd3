using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.IntegrationTests.Api;

public sealed class AdminApiTests : IAsyncLifetime
{
    private static readonly string Hash = FakeOperations.Hash;

    private readonly FakeOperations _operations = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch);
    private AdminApi _api = null!;
    private HttpClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await StartAsync(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0)));
        _client = new HttpClient { BaseAddress = new Uri(_api.BoundAddress), Timeout = TimeSpan.FromSeconds(20) };
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Fact]
    public async Task Status_has_the_members_of_the_go_tool_under_their_names()
    {
        using var document = JsonDocument.Parse(await _client.GetStringAsync("/status"));

        Assert.Equal(7, document.RootElement.GetProperty("Requests").GetInt64());
        Assert.Equal(1.5, document.RootElement.GetProperty("TotalTime").GetDouble());
        Assert.Equal(1, document.RootElement.GetProperty("States").GetProperty("active").GetInt64());
        Assert.Equal(1024, document.RootElement.GetProperty("HeapSize").GetInt64());
        Assert.False(document.RootElement.GetProperty("MaintenanceMode").GetBoolean());
        Assert.Equal("Ok", document.RootElement.GetProperty("DockerState").GetString());
        Assert.Equal("Active", document.RootElement.GetProperty("Releases")[0].GetProperty("Phase").GetString());
    }

    [Fact]
    public async Task Answers_are_not_cached_and_do_not_tell_the_server()
    {
        using var answer = await _client.GetAsync("/status");

        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Launch_by_the_go_tools_hash_is_answered_with_that_hash()
    {
        _operations.End(DeploymentEnd.Succeeded);

        using var answer = await PostAsync("/launch", "59f56cb46df19d11413f8801dfdf9653");

        Assert.Contains(" with revision 59f56cb4 listening ", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Launch_as_curl_sends_it_answers_the_go_tools_sentence()
    {
        _operations.End(DeploymentEnd.Succeeded);

        using var answer = await PostAsync("/launch", Hash);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal($"started container 1a2b3c4d with revision {Hash[..8]} listening on port 9292\n", await answer.Content.ReadAsStringAsync());
        Assert.Equal([$"launch {Hash}"], _operations.Orders);
    }

    [Fact]
    public async Task Switch_answers_the_go_tools_sentence()
    {
        _operations.End(DeploymentEnd.Succeeded, kind: DeploymentKind.Switch);

        using var answer = await PostAsync("/switch", Hash);

        Assert.Equal("switched proxy to port 9292 of container 1a2b3c4d\n", await answer.Content.ReadAsStringAsync());
        Assert.Equal([$"switch {Hash}"], _operations.Orders);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task One_newline_after_the_hash_is_tolerated(string newline)
    {
        _operations.End(DeploymentEnd.Succeeded);

        using var answer = await PostAsync("/launch", Hash + newline, "text/plain");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Json_order_is_answered_with_json_where_that_is_accepted()
    {
        _operations.End(DeploymentEnd.Succeeded);
        using var request = RequestTo("/launch", $$"""{"Hash": "{{Hash}}"}""", "application/json");
        request.Headers.Accept.ParseAdd("application/json");

        using var answer = await _client.SendAsync(request);

        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("Succeeded", document.RootElement.GetProperty("End").GetString());
    }

    [Theory]
    [InlineData("", "text/plain")]
    [InlineData("../../etc/passwd", "text/plain")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA", "text/plain")]
    [InlineData("aaa", "text/plain")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n", "text/plain")]
    [InlineData(" aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "text/plain")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaä", "text/plain")]
    [InlineData("hash=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "application/x-www-form-urlencoded")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "application/json")]
    [InlineData("""{"Hash":"../x"}""", "application/json")]
    [InlineData("""{"Hash":null}""", "application/json")]
    [InlineData("""{}""", "application/json")]
    [InlineData("""null""", "application/json")]
    [InlineData("""{"Hash":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Force":true}""", "application/json")]
    public async Task Whatever_is_no_hash_is_refused_and_reaches_nobody(string body, string mediaType)
    {
        using var answer = await PostAsync("/launch", body, mediaType);

        var problem = await ProblemOfAsync(answer, HttpStatusCode.BadRequest);
        Assert.Contains("nothing was changed", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Body_above_1_KiB_is_refused()
    {
        using var answer = await PostAsync("/launch", new string('a', 1025));

        await ProblemOfAsync(answer, HttpStatusCode.RequestEntityTooLarge);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Call_without_waiting_is_accepted_with_a_location_to_follow()
    {
        using var answer = await PostAsync("/launch?wait=false", Hash);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("/deployments/d1", answer.Headers.Location?.ToString());
        using var followed = JsonDocument.Parse(await _client.GetStringAsync(answer.Headers.Location));
        Assert.Equal("d1", followed.RootElement.GetProperty("Id").GetString());
    }

    [Fact]
    public async Task Wait_ends_after_the_timeout_that_was_asked_for()
    {
        var call = PostAsync("/launch?timeout=30s", Hash);
        await _operations.Waits.WaitAsync();
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        using var answer = await call;

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Wait_ends_soon_after_the_deployments_own_deadline()
    {
        var call = PostAsync("/launch", Hash);
        await _operations.Waits.WaitAsync();
        _time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(30));

        using var answer = await call;

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Theory]
    [InlineData("?timeout=soon", "timeout")]
    [InlineData("?wait=maybe", "wait")]
    [InlineData("?wiat=false", "did you mean 'wait'")]
    public async Task Unclear_query_is_refused_before_anything_happens(string query, string named)
    {
        using var answer = await PostAsync("/launch" + query, Hash);

        var problem = await ProblemOfAsync(answer, HttpStatusCode.BadRequest);
        Assert.Contains(named, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Caller_that_leaves_does_not_withdraw_its_order()
    {
        using var leaving = new CancellationTokenSource();
        var call = _client.SendAsync(RequestTo("/launch", Hash, "text/plain"), leaving.Token);
        await _operations.Waits.WaitAsync();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);

        Assert.Equal([$"launch {Hash}"], _operations.Orders);
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/deployments/d1")).StatusCode);
    }

    [Fact]
    public async Task Failed_release_is_reported_with_what_was_found()
    {
        var failure = new FailureEvidence { Class = FailureClass.Exited, Message = "It exited with code 3.", At = DateTimeOffset.UnixEpoch, ExitCode = 3, Log = ["boom"] };
        _operations.End(DeploymentEnd.Failed, failure);

        using var answer = await PostAsync("/launch", Hash);

        var problem = await ProblemOfAsync(answer, HttpStatusCode.InternalServerError);
        Assert.Equal("It exited with code 3.", problem.GetProperty("detail").GetString());
        Assert.Equal("boom", problem.GetProperty("Deployment").GetProperty("Failure").GetProperty("Log")[0].GetString());
    }

    [Theory]
    [InlineData(DeploymentEnd.RolledBack, HttpStatusCode.InternalServerError, "release-rolled-back")]
    [InlineData(DeploymentEnd.Superseded, HttpStatusCode.Conflict, "superseded")]
    [InlineData(DeploymentEnd.Cancelled, HttpStatusCode.Conflict, "cancelled")]
    public async Task Other_ends_have_a_status_of_their_own(DeploymentEnd end, HttpStatusCode status, string type)
    {
        _operations.End(end);

        using var answer = await PostAsync("/switch", Hash);

        Assert.Equal(type, (await ProblemOfAsync(answer, status)).GetProperty("type").GetString());
    }

    [Theory]
    [InlineData("UnknownHash", 404)]
    [InlineData("InvalidConfiguration", 422)]
    [InlineData("Conflict", 409)]
    [InlineData("StoreUnavailable", 503)]
    [InlineData("NotDurable", 507)]
    public async Task Refused_order_says_why(string refusal, int status)
    {
        _operations.Admission = new Admission.Refused(Enum.Parse<Refusal>(refusal), "Because of this.");

        using var answer = await PostAsync("/switch", Hash);

        Assert.Equal("Because of this.", (await ProblemOfAsync(answer, (HttpStatusCode)status)).GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("up", true)]
    [InlineData("down", false)]
    public async Task Maintenance_is_put_up_and_down(string direction, bool isUp)
    {
        _operations.Admission = new Admission.Accepted(null);

        using var answer = await PostAsync($"/maintenance/{direction}", "");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([$"maintenance {isUp}"], _operations.Orders);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(isUp, document.RootElement.GetProperty("MaintenanceMode").GetBoolean());
    }

    [Fact]
    public async Task What_is_under_way_is_withdrawn_and_named()
    {
        _operations.Admission = new Admission.Accepted(null);
        var (running, former) = (FakeOperations.Running, FakeOperations.Running with { Id = "d0", End = DeploymentEnd.Cancelled });
        _operations.Status = _operations.Status with { Deployments = [running, former] };
        _operations.WhenOrdered = () => _operations.Status = _operations.Status with { Deployments = [running with { End = DeploymentEnd.Cancelled }, former] };

        using var answer = await PostAsync("/abort", "");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(["abort"], _operations.Orders);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(["d1"], document.RootElement.GetProperty("Withdrawn").EnumerateArray().Select(d => d.GetProperty("Id").GetString()));
    }

    [Fact]
    public async Task Latest_deployment_is_tried_again_without_naming_it()
    {
        using var answer = await PostAsync("/retry?wait=false", "");

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(["retry"], _operations.Orders);
        Assert.Equal("/deployments/d1", answer.Headers.Location?.ToString());
    }

    [Theory]
    [InlineData("pause", true)]
    [InlineData("resume", false)]
    public async Task Traffic_is_paused_and_goes_on(string call, bool isPaused)
    {
        _operations.Admission = new Admission.Accepted(null);

        using var answer = await PostAsync($"/{call}", "");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([$"pause {isPaused}"], _operations.Orders);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(isPaused, document.RootElement.GetProperty("Paused").GetBoolean());
    }

    [Theory]
    [InlineData("10%", "text/plain", 10)]
    [InlineData("10\n", "application/x-www-form-urlencoded", 10)]
    [InlineData("off", "text/plain", 0)]
    [InlineData("{\"Percent\": 100}", "application/json", 100)]
    public async Task Share_of_the_clients_is_given_and_taken_back(string body, string type, int percent)
    {
        _operations.Admission = new Admission.Accepted(null);

        using var answer = await _client.PostAsync("/canary", new StringContent(body, System.Text.Encoding.UTF8, type));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([$"canary {percent}"], _operations.Orders);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(percent, document.RootElement.GetProperty("Percent").GetInt32());
    }

    [Theory]
    [InlineData("", "text/plain")]
    [InlineData("101%", "text/plain")]
    [InlineData("-1", "text/plain")]
    [InlineData("half", "text/plain")]
    [InlineData("{\"Percent\": 101}", "application/json")]
    [InlineData("{\"Share\": 10}", "application/json")]
    public async Task Share_that_is_none_is_told_what_is_one(string body, string type)
    {
        using var answer = await _client.PostAsync("/canary", new StringContent(body, System.Text.Encoding.UTF8, type));

        await ProblemOfAsync(answer, HttpStatusCode.BadRequest);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Call_before_the_first_look_around_is_answered_by_call_again()
    {
        await using var starting = await AdminApi.StartAsync(
            new AdminApiSettings(new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, 0))), _operations, new TaskCompletionSource().Task, _time, NullLoggerFactory.Instance, default);

        using var answer = await _client.GetAsync(new Uri(starting.BoundAddress + "/status"));

        await ProblemOfAsync(answer, HttpStatusCode.ServiceUnavailable);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task Health_is_that_of_the_loop_alone()
    {
        _operations.Status = _operations.Status with { Active = null };
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/healthz")).StatusCode);

        _operations.IsAlive = false;
        await ProblemOfAsync(await _client.GetAsync("/healthz"), HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Readiness_needs_a_release_that_serves()
    {
        Assert.Equal(HttpStatusCode.OK, (await _client.GetAsync("/readyz")).StatusCode);

        var serving = _operations.Status;
        StatusDocument[] notServing =
        [
            serving with { Active = null },
            serving with { Releases = [serving.Releases[0] with { Phase = ReleasePhase.Recovering }] },
            serving with { MaintenanceMode = true },
            serving with { Paused = true },
            serving with { Proxy = SampleStatus.Eventful.Proxy! with { HostDrain = new HostDrain { Since = DateTimeOffset.UnixEpoch } } },
        ];
        foreach (var status in notServing)
        {
            _operations.Status = status;
            await ProblemOfAsync(await _client.GetAsync("/readyz"), HttpStatusCode.ServiceUnavailable);
        }
    }

    [Theory]
    [InlineData("d2")]
    [InlineData("..%2f..%2fetc")]
    public async Task Unknown_deployment_is_not_found(string id) =>
        await ProblemOfAsync(await _client.GetAsync($"/deployments/{id}"), HttpStatusCode.NotFound);

    [Fact]
    public async Task Unknown_path_is_answered_with_the_calls_that_exist()
    {
        var problem = await ProblemOfAsync(await _client.GetAsync("/lunch"), HttpStatusCode.NotFound);

        Assert.Contains("/launch", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/launch", "POST")]
    [InlineData("GET", "/maintenance/up", "POST")]
    [InlineData("POST", "/status", "GET, HEAD")]
    public async Task Wrong_method_is_answered_with_the_right_one(string method, string path, string allowed)
    {
        using var answer = await _client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));

        await ProblemOfAsync(answer, HttpStatusCode.MethodNotAllowed);
        Assert.Equal(allowed, string.Join(", ", answer.Content.Headers.Allow));
        Assert.Empty(_operations.Orders);
    }

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("X-Forwarded-For", "192.0.2.1")]
    public async Task Change_asked_for_by_a_foreign_page_or_through_a_forwarder_is_forbidden(string header, string value)
    {
        using var request = RequestTo("/launch", Hash, "text/plain");
        request.Headers.TryAddWithoutValidation(header, value);

        using var answer = await _client.SendAsync(request);

        await ProblemOfAsync(answer, HttpStatusCode.Forbidden);
        Assert.Empty(_operations.Orders);
    }

    [Fact]
    public async Task Own_page_and_own_name_may_change_something()
    {
        _operations.End(DeploymentEnd.Succeeded);
        using var request = RequestTo("/launch", Hash, "text/plain");
        request.Headers.Host = "localhost:8001";
        request.Headers.Add("Origin", "http://localhost:8001");

        using var answer = await _client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Error_of_our_own_is_answered_without_its_details()
    {
        _operations.Error = new InvalidOperationException("secret inner detail");

        using var answer = await PostAsync("/launch", Hash);

        await ProblemOfAsync(answer, HttpStatusCode.InternalServerError);
        Assert.DoesNotContain("secret", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problem_is_text_for_a_caller_that_takes_nothing_else()
    {
        using var request = RequestTo("/launch", "nonsense", "text/plain");
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("text/plain"));

        using var answer = await _client.SendAsync(request);

        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Contains("'nonsense' (8 characters) is no hash", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Calls_that_wait_are_limited_and_the_one_too_many_changes_nothing()
    {
        var waiting = Enumerable.Range(0, AdminCalls.MaxWaiting).Select(_ => PostAsync("/launch", Hash)).ToList();
        foreach (var _ in waiting)
        {
            await _operations.Waits.WaitAsync();
        }

        await ProblemOfAsync(await PostAsync("/launch", Hash), HttpStatusCode.ServiceUnavailable);
        Assert.Equal(AdminCalls.MaxWaiting, _operations.Orders.Count);

        _operations.End(DeploymentEnd.Succeeded);
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("/launch", Hash)).StatusCode);
    }

    [Fact]
    public async Task Stop_of_the_controller_ends_waiting_calls_with_a_location_to_follow()
    {
        var call = PostAsync("/launch", Hash);
        await _operations.Waits.WaitAsync();

        await _api.DisposeAsync();

        using var answer = await call;
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Taken_address_is_named()
    {
        var taken = new ListenAddress.Tcp(new IPEndPoint(IPAddress.Loopback, new Uri(_api.BoundAddress).Port));

        var e = await Assert.ThrowsAsync<ListenException>(() => StartAsync(taken));

        Assert.True(e.IsTaken);
        Assert.Contains($"127.0.0.1:{taken.EndPoint.Port}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unix_socket_serves_its_group_and_replaces_one_that_was_left_behind()
    {
        var directory = Directory.CreateTempSubdirectory("wp-api");
        var path = Path.Combine(directory.FullName, "api.sock");
        using (var abandoned = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            abandoned.Bind(new UnixDomainSocketEndPoint(path));
            File.Move(path, path + ".left");
        }

        File.Move(path + ".left", path);
        await using (await StartAsync(new ListenAddress.Unix(path)))
        {
            Assert.Equal("660", Convert.ToString((int)File.GetUnixFileMode(path), 8));
            using var handler = new SocketsHttpHandler { ConnectCallback = (_, token) => ConnectAsync(path, token) };
            using var client = new HttpClient(handler) { BaseAddress = new Uri("http://anything.example") };
            _operations.End(DeploymentEnd.Succeeded);
            using var answer = await client.PostAsync("/launch", new StringContent(Hash));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.True((await Assert.ThrowsAsync<ListenException>(() => StartAsync(new ListenAddress.Unix(path)))).IsTaken);
        }

        directory.Delete(recursive: true);
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    private static async Task<JsonElement> ProblemOfAsync(HttpResponseMessage answer, HttpStatusCode status)
    {
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("title").GetString()!);
        return problem;
    }

    private static HttpRequestMessage RequestTo(string path, string body, string mediaType) =>
        new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, mediaType) };

    private Task<AdminApi> StartAsync(ListenAddress address) => AdminApi.StartAsync(new AdminApiSettings(address), _operations, Task.CompletedTask, _time, NullLoggerFactory.Instance, default);

    private Task<HttpResponseMessage> PostAsync(string path, string body, string mediaType = "application/x-www-form-urlencoded") =>
        _client.SendAsync(RequestTo(path, body, mediaType));
}
