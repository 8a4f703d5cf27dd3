using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Api;

namespace Wunderproxy.Controller.AdminClient;

/// <summary>The admin API of one Controller, as its callers see it.</summary>
/// <param name="address">Where it is.</param>
/// <param name="limit">How long each call may take. An order is answered once it is on disk, not once it is done.</param>
/// <param name="time">Clock of the deadlines.</param>
/// <param name="token">What changing calls show; absent: nothing.</param>
internal sealed class AdminApiClient(AdminAddress address, TimeSpan limit, TimeProvider time, ApiToken? token = null) : IDisposable
{
    private const int AnswerCapBytes = 16 << 20;

    // The Controller may be of a later version than this program: members that it added since are skipped.
    private static readonly ContractsJson Answers = new(
        new JsonSerializerOptions(ContractsJson.Default.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip });

    private readonly HttpClient _http = new(HandlerFor(address))
    {
        BaseAddress = address.Base,
        MaxResponseContentBufferSize = AnswerCapBytes,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public AdminAddress Address { get; } = address;

    public void Dispose() => _http.Dispose();

    /// <summary>What is so on that host.</summary>
    /// <exception cref="AdminException">It couldn't be had.</exception>
    public async Task<StatusDocument> GetStatusAsync(CancellationToken cancellationToken) => Read(await GetStatusBytesAsync(cancellationToken), Answers.StatusDocument);

    /// <summary>The status as it was sent, members of later versions included.</summary>
    /// <exception cref="AdminException">It couldn't be had.</exception>
    public Task<byte[]> GetStatusBytesAsync(CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, "status", null, cancellationToken);

    /// <summary>Reads what <see cref="GetStatusBytesAsync"/> returned.</summary>
    /// <exception cref="AdminException">It is no status.</exception>
    public StatusDocument ReadStatus(byte[] bytes) => Read(bytes, Answers.StatusDocument);

    /// <summary>Orders a release to be started and checked, without traffic.</summary>
    /// <param name="hash">Its hash, or a beginning that no other published one has.</param>
    /// <param name="cancellationToken">Ends the wait; what was accepted stays accepted.</param>
    /// <returns>The deployment that has begun.</returns>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<DeploymentStatus> LaunchAsync(string hash, CancellationToken cancellationToken) => OrderAsync("launch", hash, cancellationToken);

    /// <summary>Orders that host's traffic to be moved to a release.</summary>
    /// <inheritdoc cref="LaunchAsync"/>
    public Task<DeploymentStatus> SwitchAsync(string hash, CancellationToken cancellationToken) => OrderAsync("switch", hash, cancellationToken);

    /// <summary>Orders the latest deployment, which didn't succeed, to be tried again.</summary>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<DeploymentStatus> RetryAsync(CancellationToken cancellationToken) => OrderAsync("retry?wait=false", Answers.DeploymentStatus, cancellationToken);

    /// <summary>Withdraws what is under way.</summary>
    /// <returns>The deployments that were withdrawn.</returns>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<AbortStatus> AbortAsync(CancellationToken cancellationToken) => OrderAsync("abort", Answers.AbortStatus, cancellationToken);

    /// <summary>Why that host does what it does.</summary>
    /// <exception cref="AdminException">It couldn't be had.</exception>
    public async Task<PlanExplanation> ExplainAsync(CancellationToken cancellationToken) => Read(await SendAsync(HttpMethod.Get, "explain", null, cancellationToken), Answers.PlanExplanation);

    /// <summary>Ends the drain of replaced releases, or gives them more time.</summary>
    /// <returns>The releases that it was about, as they are now.</returns>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public async Task<DrainStatus> LimitDrainAsync(DrainOrder order, CancellationToken cancellationToken) =>
        Read(await SendAsync(HttpMethod.Post, "drain", JsonSerializer.SerializeToUtf8Bytes(order, ContractsJson.Default.DrainOrder), cancellationToken), Answers.DrainStatus);

    /// <summary>Makes requests wait, or lets them go on.</summary>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<PauseStatus> SetPausedAsync(bool isPaused, CancellationToken cancellationToken) => OrderAsync(isPaused ? "pause" : "resume", Answers.PauseStatus, cancellationToken);

    /// <summary>Puts maintenance up or down.</summary>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<MaintenanceStatus> SetMaintenanceAsync(bool up, CancellationToken cancellationToken) => OrderAsync(up ? "maintenance/up" : "maintenance/down", Answers.MaintenanceStatus, cancellationToken);

    /// <summary>Takes the host out of service, or brings it back.</summary>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public Task<HostDrainStatus> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => OrderAsync(isDrained ? "drain-host" : "undrain-host", Answers.HostDrainStatus, cancellationToken);

    /// <summary>Gives the release that stands by a share of the clients, or none.</summary>
    /// <param name="percent">0 to 100.</param>
    /// <param name="cancellationToken">Ends the wait; what was accepted stays accepted.</param>
    /// <returns>What is so then.</returns>
    /// <exception cref="AdminException">It wasn't taken, or nobody knows.</exception>
    public async Task<CanaryStatus> SetCanaryAsync(int percent, CancellationToken cancellationToken) =>
        Read(await SendAsync(HttpMethod.Post, "canary", JsonSerializer.SerializeToUtf8Bytes(new CanaryOrder(percent), ContractsJson.Default.CanaryOrder), cancellationToken), Answers.CanaryStatus);

    private async Task<T> OrderAsync<T>(string call, JsonTypeInfo<T> answer, CancellationToken cancellationToken) => Read(await SendAsync(HttpMethod.Post, call, [], cancellationToken), answer);

    private static SocketsHttpHandler HandlerFor(AdminAddress address)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ActivityHeadersPropagator = null };
        if (address.SocketPath is { } path)
        {
            handler.ConnectCallback = (_, cancellationToken) => SocketStream.ConnectAsync(path, cancellationToken);
        }

        return handler;
    }

    private async Task<DeploymentStatus> OrderAsync(string call, string hash, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new ReleaseOrder(hash), ContractsJson.Default.ReleaseOrder);
        return Read(await SendAsync(HttpMethod.Post, $"{call}?wait=false", body, cancellationToken), Answers.DeploymentStatus);
    }

    private async Task<byte[]> SendAsync(HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var request = new HttpRequestMessage(method, path) { Headers = { Accept = { new("application/json") } } };
        if (body is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", token?.Header);
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        }

        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            var answer = await response.Content.ReadAsByteArrayAsync(either.Token);
            return response.IsSuccessStatusCode ? answer : throw Refusal(response, answer);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw Failure(method, path, e);
        }
    }

    private AdminException Failure(HttpMethod method, string path, Exception e) => e switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => NotReached(WhyNot(e), e),
        _ when method == HttpMethod.Get => NotReached(e is OperationCanceledException ? $"no answer within {Duration.Format(limit)}" : WhyNot(e), e),
        _ => new AdminException(
            AdminFault.Ambiguous, $"{method} /{path} at {Address} has no known end: {WhyNot(e)}. It may have been taken; wunderproxy status shows whether it was.", inner: e),
    };

    private string WhyNot(Exception e) => e switch
    {
        OperationCanceledException => $"no answer within {Duration.Format(limit)}",
        _ => (e.InnerException as SocketException ?? e.InnerException ?? e).Message,
    };

    private AdminException NotReached(string why, Exception? inner = null) => new(
        AdminFault.Unreachable,
        $"the Controller isn't reached at {Address}: {why}. Nothing was changed, and what runs goes on without it. Start it (wunderproxy run, or systemctl start wunderproxy@APP), or name another by --host or WUNDERPROXY_API.",
        inner: inner);

    private AdminException Refusal(HttpResponseMessage response, byte[] answer)
    {
        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
        {
            return Stranger($"it answered {(int)response.StatusCode}");
        }

        var problem = Read(answer, Answers.ApiProblem);
        return problem.Type == "starting"
            ? NotReached(problem.Detail)
            : new AdminException(AdminFault.Refused, problem.Detail, problem);
    }

    private T Read<T>(byte[] answer, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(answer, type) ?? throw Stranger("it answered null");
        }
        catch (JsonException e)
        {
            throw Stranger($"its answer can't be read as {type.Type.Name} ({e.Message})", e);
        }
    }

    private AdminException Stranger(string what, Exception? inner = null) => new(
        AdminFault.Stranger, $"{Address} is not the admin API of a Controller: {what}. Name the address that wunderproxy run listens on with --api.", inner: inner);
}
