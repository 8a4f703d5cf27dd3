namespace Wunderproxy.Controller.Acme;

/// <summary>What is to be done next. Pure: facts and time in, one step out.</summary>
internal static class CertificatePlan
{
    // Servers keep an order for a week, as a rule; one that got nowhere for so long won't.
    private static readonly TimeSpan OrderLife = TimeSpan.FromHours(1);

    // What is further away was noted by a clock that was ahead, and would never come.
    private static readonly TimeSpan LongestWait = AcmeBackoff.LongestLimit + TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestAsk = Renewal.LongestAsk + TimeSpan.FromHours(1);

    /// <summary>What is to be done about a host.</summary>
    /// <param name="document">What is known of its certificate; absent: nothing.</param>
    /// <param name="directory">The server that it is to come from.</param>
    /// <param name="now">The time.</param>
    public static CertificateStep Next(CertificateDocument? document, string directory, DateTimeOffset now) => document switch
    {
        null => new CertificateStep.Order(),
        { NextTry: { } at, Directory: var from } when at > now && at < now + LongestWait && from == directory => new CertificateStep.Wait(at),
        { Order: { } order, Directory: var from } when from == directory && now - order.At < OrderLife => new CertificateStep.Continue(order),
        { Certificate: { Directory: var from } certificate } when from == directory && now < certificate.RenewAt => certificate.AskAt <= now || certificate.AskAt > now + LongestAsk
            ? new CertificateStep.Ask(certificate)
            : new CertificateStep.Wait(certificate.AskAt < certificate.RenewAt ? certificate.AskAt.Value : certificate.RenewAt),
        _ => new CertificateStep.Order(),
    };

    /// <summary>What is to be done about an order.</summary>
    /// <param name="order">The order as the server has it.</param>
    /// <param name="authorization">What has to be proven; absent: it wasn't looked at.</param>
    /// <param name="challenges">The kinds of challenges that can be answered here, the preferred one first.</param>
    /// <param name="isAnswered">Whether the server was told that it can validate.</param>
    public static OrderStep Next(OrderResource order, AuthorizationResource? authorization, IReadOnlyList<string> challenges, bool isAnswered) => order.Status switch
    {
        "valid" when order.Certificate is { } certificate => new OrderStep.Download(certificate),
        "ready" => new OrderStep.Finalize(order.Finalize),
        "processing" or "valid" => new OrderStep.Wait(),
        "pending" when order.Authorizations is not [var only] => new OrderStep.Fail($"The order has {order.Authorizations.Count} authorizations; one was expected."),
        "pending" => authorization is null ? new OrderStep.Look(order.Authorizations[0]) : Next(authorization, challenges, isAnswered),
        _ => authorization is null && order.Authorizations is [var failed] ? new OrderStep.Look(failed) : new OrderStep.Fail(WhyOf(order, authorization)),
    };

    private static OrderStep Next(AuthorizationResource authorization, IReadOnlyList<string> challenges, bool isAnswered)
    {
        if (authorization.Status is "valid")
        {
            return new OrderStep.Wait();
        }

        if (authorization.Status is not "pending")
        {
            return new OrderStep.Fail(WhyOf(authorization) ?? $"The authorization is {authorization.Status}.");
        }

        var offered = challenges.Select(kind => authorization.Challenges.FirstOrDefault(challenge => challenge.Type == kind && challenge.Token is not null)).FirstOrDefault(challenge => challenge is not null);
        return offered switch
        {
            null => new OrderStep.Fail($"The server offers {string.Join(", ", authorization.Challenges.Select(challenge => challenge.Type))} only; here {string.Join(", ", challenges)} can be answered."),
            { Status: "pending" } when !isAnswered => new OrderStep.Answer(offered),
            _ => new OrderStep.Wait(),
        };
    }

    private static string WhyOf(OrderResource order, AuthorizationResource? authorization) =>
        (authorization is null ? null : WhyOf(authorization)) ?? order.Error?.InWords() ?? $"The order is {order.Status}.";

    private static string? WhyOf(AuthorizationResource authorization) => authorization.Challenges.FirstOrDefault(challenge => challenge.Error is not null) is { } failed
        ? $"{failed.Type}: {failed.Error!.InWords()}"
        : null;
}

/// <summary>What is to be done about a host.</summary>
internal abstract record CertificateStep
{
    private CertificateStep()
    {
    }

    /// <summary>Nothing, until then.</summary>
    public sealed record Wait(DateTimeOffset Until) : CertificateStep;

    /// <summary>The server is asked when it wants the certificate to be renewed.</summary>
    public sealed record Ask(StoredCertificate Certificate) : CertificateStep;

    /// <summary>A certificate is ordered.</summary>
    public sealed record Order : CertificateStep;

    /// <summary>It was ordered, perhaps by another host, and isn't here yet.</summary>
    public sealed record Continue(StoredOrder Ordered) : CertificateStep;
}

/// <summary>What is to be done about an order.</summary>
internal abstract record OrderStep
{
    private OrderStep()
    {
    }

    /// <summary>The server works; it is looked at again.</summary>
    public sealed record Wait : OrderStep;

    /// <summary>It is looked at what has to be proven.</summary>
    public sealed record Look(string Authorization) : OrderStep;

    /// <summary>The challenge is made known to the Proxy, and the server is told to validate.</summary>
    public sealed record Answer(ChallengeResource Challenge) : OrderStep;

    /// <summary>The certificate is asked for.</summary>
    public sealed record Finalize(string Url) : OrderStep;

    /// <summary>The certificate is fetched.</summary>
    public sealed record Download(string Url) : OrderStep;

    /// <summary>The order came to nothing.</summary>
    public sealed record Fail(string Why) : OrderStep;
}
