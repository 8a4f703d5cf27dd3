using System.Text.Json;
using System.Text.Json.Serialization;

namespace Wunderproxy.Controller.Acme;

/// <summary>One host's certificate and what is being done about it, as all hosts share it: <c>{prefix}/acme/certificates/{host}.json</c>. It has keys in it.</summary>
/// <remarks>Each change is a conditional write, so whoever has lost the lease meanwhile can't undo what another one did.</remarks>
internal sealed record CertificateDocument
{
    /// <summary>The host.</summary>
    public required string Host { get; init; }

    /// <summary>Directory of the server that was asked last.</summary>
    public required string Directory { get; init; }

    /// <summary>What was issued last; absent: nothing yet.</summary>
    public StoredCertificate? Certificate { get; init; }

    /// <summary>What was ordered and isn't here yet; absent: nothing.</summary>
    public StoredOrder? Order { get; init; }

    /// <summary>Failed attempts since the last one that succeeded.</summary>
    public int Failures { get; init; }

    /// <summary>Why the last one failed; absent: it didn't.</summary>
    public string? LastError { get; init; }

    /// <summary>Nothing is tried before; absent: at once.</summary>
    public DateTimeOffset? NextTry { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => $"{Host}, {(Certificate is null ? "none" : $"valid until {Certificate.NotAfter:u}")}, {(Order is null ? "no order" : Order.Url)}";
}

/// <summary>An issued certificate.</summary>
internal sealed record StoredCertificate
{
    /// <summary>Directory of the server that issued it.</summary>
    public required string Directory { get; init; }

    /// <summary>It and those behind it, as PEM.</summary>
    public required string Chain { get; init; }

    /// <summary>Its key, as PEM.</summary>
    public required string Key { get; init; }

    /// <summary>SHA-256 of the certificate itself.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Since when it is valid, which is often an hour before.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>Until when.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>When it is renewed.</summary>
    public required DateTimeOffset RenewAt { get; init; }

    /// <summary>When the server is asked again whether it wants another time (RFC 9773); absent: it has no wishes.</summary>
    public DateTimeOffset? AskAt { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => Fingerprint;
}

/// <summary>An order that is under way.</summary>
internal sealed record StoredOrder
{
    /// <summary>Its URL.</summary>
    public required string Url { get; init; }

    /// <summary>Key of the certificate that it is for, as PEM.</summary>
    public required string Key { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The challenge that is to be validated, such as <c>http-01</c>; absent: none was chosen yet.</summary>
    public string? Challenge { get; init; }

    /// <summary>Its token.</summary>
    public string? Token { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => Url;
}

/// <summary>The account: <c>{prefix}/acme/account.json</c>. It has a key in it.</summary>
internal sealed record AccountDocument
{
    /// <summary>Directory of the server that it is at.</summary>
    public required string Directory { get; init; }

    /// <summary>Its key, as PEM.</summary>
    public required string Key { get; init; }

    /// <summary>Its URL; absent: it was not made yet.</summary>
    public string? Url { get; init; }

    /// <summary>Whom the server writes to.</summary>
    public IReadOnlyList<string> Contact { get; init => field = value ?? []; } = [];

    /// <summary>Prints no key.</summary>
    public override string ToString() => Url ?? Directory;
}

/// <summary>Who issues: <c>{prefix}/acme/issuer.json</c>.</summary>
internal sealed record IssuerDocument
{
    /// <summary>Who.</summary>
    public required string Owner { get; init; }

    /// <summary>Until when, unless it says so anew.</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Nothing is ordered before, by anybody, for the server wants to be left alone; absent: it doesn't.</summary>
    public DateTimeOffset? PausedUntil { get; init; }
}

/// <summary>JSON of the documents, source generated. Members of later versions are passed over.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.General, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, MaxDepth = 8)]
[JsonSerializable(typeof(CertificateDocument))]
[JsonSerializable(typeof(AccountDocument))]
[JsonSerializable(typeof(IssuerDocument))]
internal sealed partial class AcmeDocumentsJson : JsonSerializerContext;
