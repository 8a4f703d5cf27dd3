using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Controller.Acme;

/// <summary>Where an ACME server takes what (RFC 8555, section 7.1.1).</summary>
/// <param name="NewNonce">Gives nonces.</param>
/// <param name="NewAccount">Makes accounts.</param>
/// <param name="NewOrder">Makes orders.</param>
/// <param name="RenewalInfo">Says when to renew (RFC 9773); absent: it doesn't.</param>
internal sealed record AcmeDirectory(string NewNonce, string NewAccount, string NewOrder, string? RenewalInfo = null);

/// <summary>A request for an account, or a change of one (section 7.3).</summary>
internal sealed record AccountRequest(IReadOnlyList<string> Contact, bool? TermsOfServiceAgreed = null);

/// <summary>An account.</summary>
internal sealed record AccountResource(string? Status = null);

/// <summary>A request for an order (section 7.4).</summary>
/// <param name="Identifiers">What the certificate is to be for.</param>
/// <param name="Replaces">The certificate that it is to replace (RFC 9773, section 5).</param>
internal sealed record OrderRequest(IReadOnlyList<AcmeIdentifier> Identifiers, string? Replaces = null);

/// <summary>A name of a host.</summary>
internal sealed record AcmeIdentifier(string Type, string Value);

/// <summary>An order (section 7.1.3).</summary>
/// <param name="Status"><c>pending</c>, <c>ready</c>, <c>processing</c>, <c>valid</c> or <c>invalid</c>.</param>
/// <param name="Authorizations">What has to be proven.</param>
/// <param name="Finalize">Takes the request for the certificate.</param>
/// <param name="Certificate">Where it is, once it is <c>valid</c>.</param>
/// <param name="Error">Why it is <c>invalid</c>.</param>
internal sealed record OrderResource(string Status, IReadOnlyList<string> Authorizations, string Finalize, string? Certificate = null, AcmeProblem? Error = null);

/// <summary>An authorization (section 7.1.4).</summary>
/// <param name="Status"><c>pending</c>, <c>valid</c>, or one of those that it can't get away from.</param>
/// <param name="Challenges">Ways to prove it.</param>
internal sealed record AuthorizationResource(string Status, IReadOnlyList<ChallengeResource> Challenges);

/// <summary>A challenge (section 8).</summary>
/// <param name="Type">Such as <c>http-01</c>.</param>
/// <param name="Url">Where it is said that it can be validated.</param>
/// <param name="Status"><c>pending</c>, <c>processing</c>, <c>valid</c> or <c>invalid</c>.</param>
/// <param name="Token">The token.</param>
/// <param name="Error">Why it is <c>invalid</c>.</param>
internal sealed record ChallengeResource(string Type, string Url, string Status, string? Token = null, AcmeProblem? Error = null);

/// <summary>A request for a certificate (section 7.4).</summary>
/// <param name="Csr">A PKCS #10 request, DER, in base64url.</param>
internal sealed record FinalizeRequest(string Csr);

/// <summary>When the server wants a certificate to be renewed (RFC 9773, section 4.2).</summary>
internal sealed record RenewalInfo(RenewalWindow SuggestedWindow, string? ExplanationUrl = null);

/// <summary>A time within which to renew.</summary>
internal sealed record RenewalWindow(DateTimeOffset Start, DateTimeOffset End);

/// <summary>An error of an ACME server (section 6.7).</summary>
internal sealed record AcmeProblem(string? Type = null, string? Detail = null, IReadOnlyList<AcmeProblem>? Subproblems = null, AcmeIdentifier? Identifier = null)
{
    private const string Prefix = "urn:ietf:params:acme:error:";

    /// <summary>Its kind, such as <c>badNonce</c>.</summary>
    [JsonIgnore]
    public string Kind => Type?.StartsWith(Prefix, StringComparison.Ordinal) == true ? Type[Prefix.Length..] : Type ?? "unknown";

    /// <summary>It in words, which are the server's; 500 characters at most.</summary>
    public string InWords()
    {
        var words = $"{Kind}: {Detail}{string.Concat((Subproblems ?? []).Select(sub => $" [{sub.Identifier?.Value} {sub.Kind}: {sub.Detail}]"))}";
        return string.Concat(words.Take(500).Select(c => char.IsControl(c) ? ' ' : c));
    }
}

/// <summary>JSON of the protocol, source generated.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 16)]
[JsonSerializable(typeof(SignatureHeader))]
[JsonSerializable(typeof(SignedRequest))]
[JsonSerializable(typeof(AcmeDirectory))]
[JsonSerializable(typeof(AccountRequest))]
[JsonSerializable(typeof(AccountResource))]
[JsonSerializable(typeof(OrderRequest))]
[JsonSerializable(typeof(OrderResource))]
[JsonSerializable(typeof(AuthorizationResource))]
[JsonSerializable(typeof(ChallengeResource))]
[JsonSerializable(typeof(FinalizeRequest))]
[JsonSerializable(typeof(RenewalInfo))]
[JsonSerializable(typeof(AcmeProblem))]
internal sealed partial class AcmeJson : JsonSerializerContext;
