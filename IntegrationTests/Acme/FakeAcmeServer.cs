using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>An ACME server in memory, for what the real one can't be made to do: limits, wishes about renewal, days that pass. It checks each signature, nonce and address, and validates at once.</summary>
internal sealed class FakeAcmeServer(TimeProvider time) : HttpMessageHandler
{
    private const string Root = "https://acme.test";

    private readonly HashSet<string> _nonces = [];
    private readonly Dictionary<string, ECDsa> _accounts = [];
    private readonly Dictionary<string, JsonObject> _orders = [];
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private X509Certificate2? _authority;
    private int _count;

    public static Uri DirectoryAddress { get; } = new($"{Root}/dir");

    /// <summary>How long what it issues is valid.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(90);

    /// <summary>When it wants certificates to be renewed; absent: it has no wishes, and says nothing of them.</summary>
    public (DateTimeOffset Start, DateTimeOffset End)? Window { get; set; }

    /// <summary>Answers in the place of the server, by path.</summary>
    public Func<string, HttpResponseMessage?> Instead { get; set; } = static _ => null;

    /// <summary>Why a host isn't validated; absent: it is.</summary>
    public Func<string, string?> Refusal { get; set; } = static _ => null;

    /// <summary>Method and path of each request.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>What each order says.</summary>
    public List<string> Ordered { get; } = [];

    public int Accounts => _accounts.Count;

    /// <summary>An error of ACME.</summary>
    public static HttpResponseMessage Problem(HttpStatusCode status, string kind, TimeSpan? retryAfter = null)
    {
        var answer = Json(status, new JsonObject { ["type"] = $"urn:ietf:params:acme:error:{kind}", ["detail"] = $"It is {kind}." }, "application/problem+json");
        answer.Headers.RetryAfter = retryAfter is { } pause ? new(pause) : null;
        return answer;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        Requests.Add($"{request.Method} {path}");
        var answer = Instead(path) ?? (request.Method == HttpMethod.Post ? Post(request.RequestUri.AbsoluteUri, path, JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!) : Get(path));
        answer.Headers.Add("Replay-Nonce", NewNonce());
        return answer;
    }

    protected override void Dispose(bool disposing)
    {
        _authority?.Dispose();
        _key.Dispose();
        base.Dispose(disposing);
    }

    private static HttpResponseMessage Json(HttpStatusCode status, JsonNode body, string type = "application/json") => new(status) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, type) };

    private HttpResponseMessage Get(string path) => path switch
    {
        "/dir" => Json(HttpStatusCode.OK, new JsonObject
        {
            ["newNonce"] = $"{Root}/nonce",
            ["newAccount"] = $"{Root}/new-account",
            ["newOrder"] = $"{Root}/new-order",
            ["renewalInfo"] = Window is null ? null : $"{Root}/renewal",
            ["meta"] = new JsonObject { ["termsOfService"] = "https://acme.test/terms" },
        }),
        "/nonce" => new HttpResponseMessage(HttpStatusCode.OK),
        _ when path.StartsWith("/renewal/", StringComparison.Ordinal) && Window is { } window => Json(HttpStatusCode.OK, new JsonObject
        {
            ["suggestedWindow"] = new JsonObject { ["start"] = window.Start.ToString("O"), ["end"] = window.End.ToString("O") },
        }),
        _ => Problem(HttpStatusCode.NotFound, "malformed"),
    };

    private HttpResponseMessage Post(string url, string path, JsonNode body)
    {
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(body["protected"]!.GetValue<string>()))!;
        var payload = Base64Url.DecodeFromChars(body["payload"]!.GetValue<string>());
        if (!_nonces.Remove(header["nonce"]!.GetValue<string>()))
            return Problem(HttpStatusCode.BadRequest, "badNonce");
        var account = header["kid"]?.GetValue<string>();
        var key = account is null ? KeyOf(header["jwk"]!) : _accounts.GetValueOrDefault(account);
        if (key is null)
            return Problem(HttpStatusCode.BadRequest, "accountDoesNotExist");
        if (header["url"]!.GetValue<string>() != url || header["alg"]!.GetValue<string>() != "ES256" || !IsSigned(key, body))
            return Problem(HttpStatusCode.Unauthorized, "unauthorized");
        return path switch
        {
            "/new-account" => NewAccount(key),
            "/new-order" => NewOrder(JsonNode.Parse(payload)!),
            _ when path.StartsWith("/account/", StringComparison.Ordinal) => Json(HttpStatusCode.OK, new JsonObject { ["status"] = "valid" }),
            _ => Order(path.Split('/')[1], path.Split('/')[2], payload),
        };
    }

    private HttpResponseMessage NewAccount(ECDsa key)
    {
        var point = key.ExportParameters(false).Q.X!;
        var url = _accounts.FirstOrDefault(known => known.Value.ExportParameters(false).Q.X!.SequenceEqual(point)).Key ?? $"{Root}/account/{++_count}";
        _accounts[url] = key;
        var answer = Json(HttpStatusCode.Created, new JsonObject { ["status"] = "valid" });
        answer.Headers.Location = new Uri(url);
        return answer;
    }

    private HttpResponseMessage NewOrder(JsonNode request)
    {
        var id = $"{++_count}";
        Ordered.Add(request.ToJsonString());
        _orders[id] = new JsonObject
        {
            ["status"] = "pending",
            ["host"] = request["identifiers"]![0]!["value"]!.GetValue<string>(),
            ["authorizations"] = new JsonArray($"{Root}/authorization/{id}"),
            ["finalize"] = $"{Root}/finalize/{id}",
        };
        var answer = Json(HttpStatusCode.Created, _orders[id]);
        answer.Headers.Location = new Uri($"{Root}/order/{id}");
        return answer;
    }

    private HttpResponseMessage Order(string resource, string id, byte[] payload)
    {
        if (_orders.GetValueOrDefault(id) is not { } order)
            return Problem(HttpStatusCode.NotFound, "malformed");
        switch (resource)
        {
            case "authorization":
                return Json(HttpStatusCode.OK, Authorization(id, order));
            case "challenge":
                order["error"] = Refusal(order["host"]!.GetValue<string>()) is { } why ? new JsonObject { ["type"] = "urn:ietf:params:acme:error:connection", ["detail"] = why } : null;
                order["status"] = order["error"] is null ? "ready" : "invalid";
                return Json(HttpStatusCode.OK, Challenge(id, order, "http-01"));
            case "finalize":
                order["pem"] = Issue(order["host"]!.GetValue<string>(), JsonNode.Parse(payload)!["csr"]!.GetValue<string>());
                order["status"] = "valid";
                order["certificate"] = $"{Root}/certificate/{id}";
                return Json(HttpStatusCode.OK, order);
            case "certificate":
                return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(order["pem"]!.GetValue<string>()) };
            default:
                return Json(HttpStatusCode.OK, order);
        }
    }

    private static JsonObject Authorization(string id, JsonObject order) => new()
    {
        ["status"] = order["status"]!.GetValue<string>() switch { "pending" => "pending", "invalid" => "invalid", _ => "valid" },
        ["challenges"] = new JsonArray(Challenge(id, order, "http-01"), Challenge(id, order, "tls-alpn-01"), Challenge(id, order, "dns-01")),
    };

    private static JsonObject Challenge(string id, JsonObject order, string type) => new()
    {
        ["type"] = type,
        ["url"] = $"{Root}/challenge/{id}/{type}",
        ["status"] = "pending",
        ["token"] = $"token-{id}",
        ["error"] = order["error"]?.DeepClone(),
    };

    private string Issue(string host, string csr)
    {
        _authority ??= Authority();
        var request = CertificateRequest.LoadSigningRequest(
            Base64Url.DecodeFromChars(csr), HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions);
        Assert.Contains(request.CertificateExtensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames(), name => name == host);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var now = time.GetUtcNow();
        using var issued = request.Create(_authority.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now, now + Lifetime, [1, .. RandomNumberGenerator.GetBytes(8)]);
        return issued.ExportCertificatePem() + "\n" + _authority.ExportCertificatePem() + "\n";
    }

    private X509Certificate2 Authority()
    {
        var request = new CertificateRequest("CN=Fake authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(time.GetUtcNow().AddYears(-1), time.GetUtcNow().AddYears(20));
    }

    private string NewNonce()
    {
        var nonce = $"nonce-{++_count}";
        _nonces.Add(nonce);
        return nonce;
    }

    private static ECDsa KeyOf(JsonNode jwk) => ECDsa.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = Base64Url.DecodeFromChars(jwk["x"]!.GetValue<string>()), Y = Base64Url.DecodeFromChars(jwk["y"]!.GetValue<string>()) },
    });

    private static bool IsSigned(ECDsa key, JsonNode body) => key.VerifyData(
        Encoding.ASCII.GetBytes($"{body["protected"]!.GetValue<string>()}.{body["payload"]!.GetValue<string>()}"),
        Base64Url.DecodeFromChars(body["signature"]!.GetValue<string>()),
        HashAlgorithmName.SHA256);
}
