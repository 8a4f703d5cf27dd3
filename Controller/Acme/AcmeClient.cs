using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Wunderproxy.Controller.Acme;

/// <summary>Speaks ACME with one server. Each request has 30 s; those whose nonce is refused are repeated, nothing else is.</summary>
/// <remarks>Source: RFC 8555, section 6.</remarks>
internal sealed class AcmeClient : IDisposable
{
    private const int AnswerCapBytes = 1 << 20;
    private const int MostNonces = 16;
    private const int MostAttempts = 5;
    private const string NonceHeader = "Replay-Nonce";

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DirectoryLife = TimeSpan.FromHours(1);

    private readonly HttpClient _http;
    private readonly Uri _directoryAddress;
    private readonly TimeProvider _time;
    private readonly ConcurrentQueue<string> _nonces = new();
    private (AcmeDirectory Directory, long At)? _directory;

    /// <param name="directory">The server's directory, <c>https</c>.</param>
    /// <param name="handler">How it is reached.</param>
    /// <param name="time">Clock of the deadlines.</param>
    public AcmeClient(Uri directory, HttpMessageHandler handler, TimeProvider time)
    {
        (_directoryAddress, _time) = (directory, time);
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = AnswerCapBytes };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("wunderproxy", typeof(AcmeClient).Assembly.GetName().Version?.ToString(3)));
        _http.DefaultRequestHeaders.AcceptLanguage.Add(new StringWithQualityHeaderValue("en"));
    }

    /// <summary>How servers are reached over the net.</summary>
    /// <param name="authorities">Those who vouch for a private server, instead of the system's; absent: the system's.</param>
    public static HttpMessageHandler Handler(X509Certificate2Collection? authorities)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(1) };
        if (authorities is not null)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }

        return handler;
    }

    /// <summary>Where the server takes what; asked for once an hour.</summary>
    public async Task<AcmeDirectory> DirectoryAsync(CancellationToken cancellationToken)
    {
        if (_directory is { } known && _time.GetElapsedTime(known.At) < DirectoryLife)
        {
            return known.Directory;
        }

        var directory = (await GetAsync(_directoryAddress.AbsoluteUri, AcmeJson.Default.AcmeDirectory, cancellationToken)).Body;
        _directory = (directory, _time.GetTimestamp());
        return directory;
    }

    /// <summary>Makes an account for a key, or finds the one that it has.</summary>
    /// <returns>Its URL.</returns>
    public async Task<string> NewAccountAsync(ECDsa key, IReadOnlyList<string> contact, CancellationToken cancellationToken)
    {
        var url = (await DirectoryAsync(cancellationToken)).NewAccount;
        var answer = await PostAsync(
            new AcmeSigner(key, null), url, Json(new AccountRequest(contact, TermsOfServiceAgreed: true), AcmeJson.Default.AccountRequest), AcmeJson.Default.AccountResource, cancellationToken);
        return answer.Location ?? throw new AcmeException($"{url} made an account and didn't say where it is.");
    }

    /// <summary>Tells the server whom to write to.</summary>
    public Task ChangeContactAsync(AcmeSigner account, IReadOnlyList<string> contact, CancellationToken cancellationToken) =>
        PostAsync(account, account.Url!, Json(new AccountRequest(contact), AcmeJson.Default.AccountRequest), AcmeJson.Default.AccountResource, cancellationToken);

    /// <summary>Orders a certificate for a host.</summary>
    /// <param name="account">Who orders.</param>
    /// <param name="host">The host.</param>
    /// <param name="replaced">The certificate that it replaces, as <see cref="Renewal.IdOf"/> names it; absent: none, or the server doesn't care.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The order's URL.</returns>
    public async Task<string> NewOrderAsync(AcmeSigner account, string host, string? replaced, CancellationToken cancellationToken)
    {
        var url = (await DirectoryAsync(cancellationToken)).NewOrder;
        var answer = await PostAsync(account, url, Json(new OrderRequest([new AcmeIdentifier("dns", host)], replaced), AcmeJson.Default.OrderRequest), AcmeJson.Default.OrderResource, cancellationToken);
        return answer.Location ?? throw new AcmeException($"{url} took an order and didn't say where it is.");
    }

    /// <summary>Reads something that is an account's own (section 6.3).</summary>
    public Task<AcmeAnswer<T>> ReadAsync<T>(AcmeSigner account, string url, JsonTypeInfo<T> type, CancellationToken cancellationToken) => PostAsync(account, url, [], type, cancellationToken);

    /// <summary>Says that a challenge can be validated.</summary>
    public Task AnswerAsync(AcmeSigner account, string challenge, CancellationToken cancellationToken) =>
        PostAsync(account, challenge, "{}"u8.ToArray(), AcmeJson.Default.ChallengeResource, cancellationToken);

    /// <summary>Asks for the certificate itself.</summary>
    public Task<AcmeAnswer<OrderResource>> FinalizeAsync(AcmeSigner account, string finalize, string csr, CancellationToken cancellationToken) =>
        PostAsync(account, finalize, Json(new FinalizeRequest(csr), AcmeJson.Default.FinalizeRequest), AcmeJson.Default.OrderResource, cancellationToken);

    /// <summary>Fetches a certificate and those behind it, as PEM.</summary>
    public async Task<string> DownloadAsync(AcmeSigner account, string certificate, CancellationToken cancellationToken) =>
        Encoding.ASCII.GetString((await SendSignedAsync(account, certificate, [], cancellationToken)).Body);

    /// <summary>Asks when a certificate is to be renewed.</summary>
    /// <param name="url">The server's resource for that.</param>
    /// <param name="certificate">As <see cref="Renewal.IdOf"/> names it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<AcmeAnswer<RenewalInfo>> RenewalInfoAsync(string url, string certificate, CancellationToken cancellationToken) =>
        GetAsync($"{url}/{certificate}", AcmeJson.Default.RenewalInfo, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static byte[] Json<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private async Task<AcmeAnswer<T>> PostAsync<T>(AcmeSigner account, string url, byte[] payload, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        Read(url, await SendSignedAsync(account, url, payload, cancellationToken), type);

    private async Task<AcmeAnswer<T>> GetAsync<T>(string url, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        Read(url, Expect(url, await SendAsync(() => new HttpRequestMessage(HttpMethod.Get, url), cancellationToken)), type);

    private async Task<Answer> SendSignedAsync(AcmeSigner account, string url, byte[] payload, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var body = JsonWebSignature.Sign(account.Key, account.Url, await NonceAsync(cancellationToken), url, payload);
            var answer = await SendAsync(() => SignedRequestTo(url, body), cancellationToken);
            if (attempt == MostAttempts || !IsForNonce(answer))
            {
                return Expect(url, answer);
            }

            // Nonces of that age are of no use any more.
            _nonces.Clear();
            Keep(answer.Nonce);
        }
    }

    private static HttpRequestMessage SignedRequestTo(string url, byte[] body) => new(HttpMethod.Post, url)
    {
        Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/jose+json") } },
    };

    private static bool IsForNonce(Answer answer) => answer.Status == HttpStatusCode.BadRequest && ProblemIn(answer)?.Kind == "badNonce";

    private async Task<string> NonceAsync(CancellationToken cancellationToken)
    {
        if (_nonces.TryDequeue(out var kept))
        {
            return kept;
        }

        var url = (await DirectoryAsync(cancellationToken)).NewNonce;
        var answer = Expect(url, await SendAsync(() => new HttpRequestMessage(HttpMethod.Head, url), cancellationToken));
        return _nonces.TryDequeue(out var fresh) ? fresh : answer.Nonce ?? throw new AcmeException($"{url} gave no nonce.");
    }

    private void Keep(string? nonce)
    {
        if (nonce is not null && _nonces.Count < MostNonces)
        {
            _nonces.Enqueue(nonce);
        }
    }

    private async Task<Answer> SendAsync(Func<HttpRequestMessage> make, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(Deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        using var request = make();
        RequireHttps(request.RequestUri);
        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            var answer = new Answer(
                response.StatusCode,
                await response.Content.ReadAsByteArrayAsync(either.Token),
                response.Headers.TryGetValues(NonceHeader, out var nonces) ? nonces.FirstOrDefault() : null,
                response.Headers.Location is { } location ? new Uri(request.RequestUri!, location).AbsoluteUri : null,
                RetryAfterOf(response));
            Keep(answer.Nonce);
            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            _directory = null;
            throw new AcmeException($"{request.RequestUri} isn't reached: {(e is OperationCanceledException ? $"no answer within {Deadline.TotalSeconds} s" : e.InnerException?.Message ?? e.Message)}.", e);
        }
    }

    private static void RequireHttps(Uri? url)
    {
        if (url?.Scheme != Uri.UriSchemeHttps)
        {
            throw new AcmeException($"'{url}' is no https address.");
        }
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > _time.GetUtcNow() ? date - _time.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };

    private static Answer Expect(string url, Answer answer)
    {
        if ((int)answer.Status is >= 200 and < 300)
        {
            return answer;
        }

        var problem = ProblemIn(answer);
        throw new AcmeException($"{url} answered {(int)answer.Status}{(problem is null ? "" : $" {problem.InWords()}")}")
        {
            Problem = problem,
            Status = (int)answer.Status,
            RetryAfter = answer.RetryAfter,
            IsLimit = answer.Status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable || problem?.Kind == "rateLimited",
        };
    }

    private static AcmeProblem? ProblemIn(Answer answer)
    {
        try
        {
            return JsonSerializer.Deserialize(answer.Body, AcmeJson.Default.AcmeProblem);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static AcmeAnswer<T> Read<T>(string url, Answer answer, JsonTypeInfo<T> type)
    {
        try
        {
            return new AcmeAnswer<T>(JsonSerializer.Deserialize(answer.Body, type) ?? throw new JsonException("Expected an object."), answer.Location, answer.RetryAfter);
        }
        catch (JsonException e)
        {
            throw new AcmeException($"The answer of {url} can't be read as {typeof(T).Name}: {e.Message}", e);
        }
    }

    private sealed record Answer(HttpStatusCode Status, byte[] Body, string? Nonce, string? Location, TimeSpan? RetryAfter);
}

/// <summary>Who signs.</summary>
/// <param name="Key">The account's key.</param>
/// <param name="Url">The account; absent: there is none yet.</param>
internal sealed record AcmeSigner(ECDsa Key, string? Url);

/// <summary>An answer of an ACME server.</summary>
/// <param name="Body">What it says.</param>
/// <param name="Location">Where what was made is.</param>
/// <param name="RetryAfter">When to look again.</param>
internal sealed record AcmeAnswer<T>(T Body, string? Location, TimeSpan? RetryAfter);
