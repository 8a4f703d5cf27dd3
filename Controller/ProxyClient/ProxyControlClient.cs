using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.ProxyClient;

/// <summary>The control API over the Proxy's Unix socket.</summary>
internal sealed class ProxyControlClient(string socketPath, TimeProvider time) : IProxyControl, IProxyAcme, IProxyTraffic, IDisposable
{
    private static readonly TimeSpan ReadDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FenceDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DrainDeadline = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ApplyDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AcmeDeadline = TimeSpan.FromSeconds(5);

    // The Proxy may be of a later version than this Controller: members that it added since are skipped.
    private static readonly ContractsJson Answers = new(
        new JsonSerializerOptions(ContractsJson.Default.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip });

    // The Proxy is looked at several times in each deployment, and what is only read may be asked twice.
    private readonly ControlConnection _reading = new(socketPath, isKept: true);

    public void Dispose() => _reading.Dispose();

    public async Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Put, PathOf(snapshot.Application), Json(snapshot, ContractsJson.Default.ApplicationSnapshot));
        return OutcomeOf(call, await SendAsync(call, ApplyDeadline + (snapshot.Target?.Probe.Timeout ?? TimeSpan.Zero) + (snapshot.Standby?.Target.Probe.Timeout ?? TimeSpan.Zero), cancellationToken));
    }

    public async Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Post, PathOf(application) + "/drain", Json(request, ContractsJson.Default.DrainRequest));
        return OutcomeOf(call, await SendAsync(call, DrainDeadline, cancellationToken));
    }

    public async Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken)
    {
        var call = new Call(isDrained ? HttpMethod.Put : HttpMethod.Delete, "/host-drain");
        var answer = await SendAsync(call, DrainDeadline, cancellationToken);
        return answer.Status switch
        {
            HttpStatusCode.OK => null,
            HttpStatusCode.NotFound => throw new ProxyException(
                ProxyFault.Unreachable, "The Proxy is of an earlier version, which can't be taken out of service; nothing was changed. Restart it when it suits: systemctl restart wunderproxy-proxy."),
            _ => Read(call, answer, Answers.ControlProblem),
        };
    }

    public async Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Post, PathOf(application) + "/fence", Json(request, ContractsJson.Default.FenceRequest));
        var answer = await SendAsync(call, FenceDeadline, cancellationToken);

        return answer switch
        {
            { Status: HttpStatusCode.OK, Body.Length: 0 } => new FenceOutcome.Fenced(null),
            { Status: HttpStatusCode.OK } => new FenceOutcome.Fenced(Read(call, answer, Answers.ApplicationState)),
            _ => new FenceOutcome.Refused(Read(call, answer, Answers.ControlProblem)),
        };
    }

    public Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken) =>
        FindAsync(new Call(HttpMethod.Get, PathOf(application)), Answers.ApplicationState, cancellationToken);

    public async Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken)
    {
        var call = new Call(HttpMethod.Get, "/status");
        return Read(call, await SendAsync(call, ReadDeadline, cancellationToken), Answers.ProxyStatus);
    }

    public Task<RecentTraffic?> GetTrafficAsync(string application, DateTimeOffset? since, CancellationToken cancellationToken) => FindAsync(
        new Call(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"{PathOf(application)}/traffic?since={since?.ToUnixTimeSeconds() ?? 0}")), Answers.RecentTraffic, cancellationToken);

    public Task<TrafficTotals?> GetTotalsAsync(string application, CancellationToken cancellationToken) =>
        FindAsync(new Call(HttpMethod.Get, PathOf(application) + "/totals"), Answers.TrafficTotals, cancellationToken);

    public Task<AcmeState> SetAcmeAsync(string application, AcmeSettings settings, CancellationToken cancellationToken) =>
        SendAcmeAsync(new Call(HttpMethod.Put, PathOf(application) + "/acme", Json(settings, ContractsJson.Default.AcmeSettings)), cancellationToken);

    public Task RemoveAcmeAsync(string application, string installation, CancellationToken cancellationToken) =>
        SendAcmeAsync(new Call(HttpMethod.Delete, $"{PathOf(application)}/acme?installation={Uri.EscapeDataString(installation)}"), cancellationToken);

    public Task HandCertificateAsync(string application, string host, IssuedCertificate certificate, CancellationToken cancellationToken) => SendAcmeAsync(
        new Call(HttpMethod.Put, $"{PathOf(application)}/acme/certificates/{Uri.EscapeDataString(host)}", Json(certificate, ContractsJson.Default.IssuedCertificate)), cancellationToken);

    private async Task<T?> FindAsync<T>(Call call, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var answer = await SendAsync(call, ReadDeadline, cancellationToken);
        return answer.Status == HttpStatusCode.NotFound ? null : Read(call, answer, type);
    }

    private async Task<AcmeState> SendAcmeAsync(Call call, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(call, AcmeDeadline, cancellationToken);
        return answer.Status == HttpStatusCode.OK
            ? Read(call, answer, Answers.AcmeState)
            : throw new ProxyException(ProxyFault.Unreachable, $"The Proxy refused: {Read(call, answer, Answers.ControlProblem).Detail}");
    }

    private ApplyOutcome OutcomeOf(Call call, Answer answer) => answer.Status == HttpStatusCode.OK
        ? new ApplyOutcome.Applied(Read(call, answer, Answers.ApplicationState))
        : new ApplyOutcome.Refused(Read(call, answer, Answers.ControlProblem));

    private static string PathOf(string application) => $"/applications/{Uri.EscapeDataString(application)}";

    private static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(value, type))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };

    private async Task<Answer> SendAsync(Call call, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (call.IsRead)
            return await SendAsync(call, _reading, limit, cancellationToken);
        using var connection = new ControlConnection(socketPath, isKept: false);
        return await SendAsync(call, connection, limit, cancellationToken);
    }

    private async Task<Answer> SendAsync(Call call, ControlConnection connection, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var request = new HttpRequestMessage(call.Method, call.Path) { Content = call.Content };
        try
        {
            using var response = await connection.Http.SendAsync(request, either.Token);
            return new Answer(response.StatusCode, await response.Content.ReadAsByteArrayAsync(either.Token));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            var why = e switch
            {
                OperationCanceledException => $"no answer within {Duration.Format(limit)}",
                HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "its answer is larger than 1 MiB",
                _ => e.InnerException?.Message ?? e.Message,
            };
            throw connection.IsConnected ? WithoutAnswer(call, why, e) : NotReached(call, why, e);
        }
    }

    private T Read<T>(Call call, Answer answer, JsonTypeInfo<T> type)
    {
        var isExpected = answer.Status == HttpStatusCode.OK || type.Type == typeof(ControlProblem);
        try
        {
            return isExpected && JsonSerializer.Deserialize(answer.Body, type) is { } value
                ? value
                : throw WithoutAnswer(call, $"it answered {(int)answer.Status}");
        }
        catch (JsonException e)
        {
            throw WithoutAnswer(call, $"its answer {(int)answer.Status} can't be read as {type.Type.Name} ({e.Message})", e);
        }
    }

    private ProxyException NotReached(Call call, string why, Exception inner) =>
        new(ProxyFault.Unreachable, $"{call} failed: the Proxy isn't reached at {socketPath} ({why}). Nothing was changed.", inner);

    private ProxyException WithoutAnswer(Call call, string why, Exception? inner = null) => call.IsRead
        ? new ProxyException(ProxyFault.Unreachable, $"{call} of the Proxy at {socketPath} failed: {why}.", inner)
        : new ProxyException(ProxyFault.Ambiguous, $"{call} of the Proxy at {socketPath} has no known end: {why}. It may have happened, or may still.", inner);

    private sealed record Call(HttpMethod Method, string Path, HttpContent? Content = null)
    {
        public bool IsRead => Method == HttpMethod.Get;

        public override string ToString() => $"{Method} {Path}";
    }

    private sealed record Answer(HttpStatusCode Status, byte[] Body);
}
