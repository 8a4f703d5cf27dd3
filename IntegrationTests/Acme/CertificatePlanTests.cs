using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wunderproxy.Controller.Acme;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>What is to be done next, from facts and the time.</summary>
public sealed class CertificatePlanTests
{
    private const string Directory = "https://acme.test/dir";

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);
    private static readonly StoredOrder Ordered = new() { Url = "https://acme.test/order/1", Key = "", At = Now };
    private static readonly OrderResource Pending = new("pending", ["https://acme.test/authorization/1"], "https://acme.test/finalize/1");
    private static readonly ChallengeResource Http = new("http-01", "https://acme.test/challenge/1", "pending", "token");

    private static readonly StoredCertificate Issued = new()
    {
        Directory = Directory,
        Chain = "",
        Key = "",
        Fingerprint = "",
        IssuedAt = Now,
        NotBefore = Now,
        NotAfter = Now.AddDays(90),
        RenewAt = Now.AddDays(60),
    };

    [Fact]
    public void Host_without_certificate_is_ordered_and_one_with_is_left_alone_until_its_renewal()
    {
        Assert.IsType<CertificateStep.Order>(Next(null));
        Assert.IsType<CertificateStep.Order>(Next(Document()));
        Assert.Equal(new CertificateStep.Wait(Now.AddDays(60)), Next(Document() with { Certificate = Issued }));
        Assert.Equal(new CertificateStep.Wait(Now.AddDays(60)), Next(Document() with { Certificate = Issued }, Now.AddDays(60) - TimeSpan.FromTicks(1)));
        Assert.IsType<CertificateStep.Order>(Next(Document() with { Certificate = Issued }, Now.AddDays(60)));
    }

    [Fact]
    public void Server_with_wishes_is_asked_when_it_is_time_and_not_about_what_is_to_be_renewed_anyhow()
    {
        Assert.Equal(new CertificateStep.Wait(Now.AddHours(6)), Next(Document() with { Certificate = Issued with { AskAt = Now.AddHours(6) } }));
        Assert.IsType<CertificateStep.Ask>(Next(Document() with { Certificate = Issued with { AskAt = Now } }));
        Assert.Equal(new CertificateStep.Wait(Now.AddHours(3)), Next(Document() with { Certificate = Issued with { RenewAt = Now.AddHours(3), AskAt = Now.AddHours(6) } }));
        Assert.IsType<CertificateStep.Order>(Next(Document() with { Certificate = Issued with { AskAt = Now } }, Now.AddDays(60)));
    }

    [Fact]
    public void After_a_failure_nothing_is_done_before_the_next_try()
    {
        var failed = Document() with { Failures = 1, NextTry = Now.AddMinutes(2) };

        Assert.Equal(new CertificateStep.Wait(Now.AddMinutes(2)), Next(failed));
        Assert.Equal(new CertificateStep.Wait(Now.AddMinutes(2)), Next(failed with { Order = Ordered, Certificate = Issued }));
        Assert.IsType<CertificateStep.Order>(Next(failed, Now.AddMinutes(2)));
    }

    [Fact]
    public void Time_that_a_clock_which_was_ahead_has_noted_holds_nothing_up()
    {
        Assert.IsType<CertificateStep.Order>(Next(Document() with { NextTry = Now.AddYears(1) }));
        Assert.IsType<CertificateStep.Wait>(Next(Document() with { NextTry = Now.AddDays(14) }));
        Assert.IsType<CertificateStep.Ask>(Next(Document() with { Certificate = Issued with { AskAt = Now.AddYears(1) } }));
    }

    [Fact]
    public void Order_is_gone_on_with_for_an_hour_and_made_anew_after_that()
    {
        Assert.Equal(new CertificateStep.Continue(Ordered), Next(Document() with { Order = Ordered, Certificate = Issued }, Now.AddMinutes(59)));
        Assert.IsType<CertificateStep.Order>(Next(Document() with { Order = Ordered }, Now.AddHours(1)));
    }

    [Fact]
    public void What_is_of_another_server_counts_for_nothing()
    {
        var other = Document() with { Directory = "https://other.test/dir", Order = Ordered, NextTry = Now.AddDays(1), Certificate = Issued with { Directory = "https://other.test/dir" } };

        Assert.IsType<CertificateStep.Order>(Next(other));
        Assert.IsType<CertificateStep.Order>(Next(Document() with { Certificate = other.Certificate }));
    }

    [Fact]
    public void Pending_order_is_looked_into_and_its_challenge_answered_once()
    {
        Assert.Equal(new OrderStep.Look(Pending.Authorizations[0]), Next(Pending, null));
        Assert.Equal(new OrderStep.Answer(Http), Next(Pending, new AuthorizationResource("pending", [Http])));
        Assert.IsType<OrderStep.Wait>(Next(Pending, new AuthorizationResource("pending", [Http]), isAnswered: true));
        Assert.IsType<OrderStep.Wait>(Next(Pending, new AuthorizationResource("pending", [Http with { Status = "processing" }])));
        Assert.IsType<OrderStep.Wait>(Next(Pending, new AuthorizationResource("valid", [Http])));
    }

    [Fact]
    public void Preferred_challenge_is_chosen_of_those_that_are_offered()
    {
        var alpn = Http with { Type = "tls-alpn-01" };

        Assert.Equal(new OrderStep.Answer(alpn), CertificatePlan.Next(Pending, new AuthorizationResource("pending", [Http, alpn]), ["tls-alpn-01", "http-01"], false));
        Assert.Equal(new OrderStep.Answer(Http), CertificatePlan.Next(Pending, new AuthorizationResource("pending", [Http]), ["tls-alpn-01", "http-01"], false));
        Assert.Contains("dns-01 only", Assert.IsType<OrderStep.Fail>(Next(Pending, new AuthorizationResource("pending", [Http with { Type = "dns-01" }]))).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Ready_order_is_finalized_a_valid_one_fetched_and_others_come_to_nothing_for_a_reason()
    {
        var refused = new AuthorizationResource("invalid", [Http with { Status = "invalid", Error = new AcmeProblem("urn:ietf:params:acme:error:connection", "refused") }]);

        Assert.Equal(new OrderStep.Finalize(Pending.Finalize), Next(Pending with { Status = "ready" }, null));
        Assert.IsType<OrderStep.Wait>(Next(Pending with { Status = "processing" }, null));
        Assert.Equal(new OrderStep.Download("c"), Next(Pending with { Status = "valid", Certificate = "c" }, null));
        Assert.IsType<OrderStep.Look>(Next(Pending with { Status = "invalid" }, null));
        Assert.Equal(new OrderStep.Fail("http-01: connection: refused"), Next(Pending with { Status = "invalid" }, refused));
        Assert.Equal(new OrderStep.Fail("http-01: connection: refused"), Next(Pending, refused));
        Assert.IsType<OrderStep.Fail>(Next(Pending, new AuthorizationResource("expired", [Http])));
        Assert.IsType<OrderStep.Fail>(Next(Pending with { Authorizations = [] }, null));
        Assert.IsType<OrderStep.Fail>(Next(Pending with { Status = "unheard-of", Authorizations = [] }, null));
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(1, 55.5)]
    public void Renewal_is_at_two_thirds_of_life_less_up_to_a_twentieth(double random, double days) =>
        Assert.Equal(days, (Renewal.AtTwoThirds(Now, Now.AddDays(90), random) - Now).TotalDays, precision: 6);

    [Fact]
    public void Suggested_window_is_kept_to_and_a_senseless_one_is_not()
    {
        Assert.Equal(Now.AddDays(40.5), Within(40, 41));
        Assert.Equal(Now.AddDays(60), Within(59, 61));
        Assert.Equal(Now.AddDays(80), Within(70, 120));
        Assert.Equal(Now.AddDays(60), Within(41, 40));
        Assert.Equal(Now.AddDays(60), Within(95, 96));
        Assert.Equal(Now.AddHours(6), Within(-2, -1));

        static DateTimeOffset Within(double start, double end) => Renewal.Within(new RenewalWindow(Now.AddDays(start), Now.AddDays(end)), Now.AddDays(60), Now, Now.AddDays(90), 0.5);
    }

    [Fact]
    public void Server_is_asked_again_after_as_long_as_it_says_from_a_minute_to_a_day() => Assert.Equal(
        [6 * 60, 1, 90, 24 * 60], new TimeSpan?[] { null, TimeSpan.Zero, TimeSpan.FromMinutes(90), TimeSpan.FromDays(9) }.Select(wanted => Renewal.AskAfter(wanted).TotalMinutes));

    [Fact]
    public void Certificate_is_named_by_its_issuers_key_and_its_serial_number()
    {
        // The example of RFC 9773, section 4.1.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=example", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(Convert.FromHexString("69885B6B87464041E1B37B847BA0AE2CDE01C8D4")));
        using var certificate = request.Create(new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(key), Now, Now.AddDays(1), [0x00, 0x87, 0x65, 0x43, 0x21]);

        Assert.Equal("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE", Renewal.IdOf(certificate.ExportCertificatePem()));
    }

    [Theory]
    [InlineData(1, 120)]
    [InlineData(2, 240)]
    [InlineData(9, 30720)]
    [InlineData(10, 43200)]
    [InlineData(int.MaxValue, 43200)]
    public void Pause_after_a_failure_doubles_up_to_a_limit(int failures, double seconds)
    {
        Assert.Equal(seconds, AcmeBackoff.After(failures, TimeSpan.FromMinutes(2), TimeSpan.FromHours(12), 0).TotalSeconds);
        Assert.Equal(seconds * 1.2, AcmeBackoff.After(failures, TimeSpan.FromMinutes(2), TimeSpan.FromHours(12), 1).TotalSeconds, precision: 6);
    }

    private static CertificateDocument Document() => new() { Host = "shop.example", Directory = Directory };

    private static CertificateStep Next(CertificateDocument? document, DateTimeOffset? now = null) => CertificatePlan.Next(document, Directory, now ?? Now);

    private static OrderStep Next(OrderResource order, AuthorizationResource? authorization, bool isAnswered = false) => CertificatePlan.Next(order, authorization, ["http-01", "tls-alpn-01"], isAnswered);
}
