using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Acme;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>What is done in the course of a certificate's life, by a clock that the test moves.</summary>
public sealed class CertificateKeeperTests : IDisposable
{
    private const string Host = "shop.example";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-keeper-");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(60));
    private readonly FakeAcmeServer _server;
    private readonly IObjectStore _store;
    private readonly List<KeptHost> _kept = [];

    public CertificateKeeperTests() => (_server, _store) = (new FakeAcmeServer(_time), DirectoryStore.Open(_folder.FullName, new StoreOptions()));

    public void Dispose()
    {
        _kept.ForEach(kept => kept.Keeper.Dispose());
        _server.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Certificate_is_obtained_handed_over_and_renewed_at_two_thirds_of_its_life()
    {
        var kept = Keep();
        await PassAsync(kept);
        var first = kept.Status();
        Assert.True(first.IsInForce);

        await MoveToAsync(kept, first.RenewAt!.Value - TimeSpan.FromMinutes(1));
        Assert.Single(kept.Proxy.Handed);
        await MoveToAsync(kept, first.RenewAt.Value + TimeSpan.FromMinutes(2));

        Assert.Equal(2, kept.Proxy.Handed.Count);
        Assert.InRange((first.RenewAt.Value - (first.NotAfter!.Value - _server.Lifetime)).TotalDays, 90 * 0.6, 90 * 0.67);
        Assert.True(kept.Status().NotAfter > first.NotAfter);
        Assert.Equal(1, _server.Accounts);
    }

    [Fact]
    public async Task Nothing_is_asked_of_anybody_while_nothing_is_due()
    {
        var kept = Keep();
        await PassAsync(kept);
        await PassAsync(kept);
        var before = _server.Requests.Count;

        for (var i = 0; i < 50; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            await PassAsync(kept);
        }

        Assert.Equal(before, _server.Requests.Count);
        Assert.Single(kept.Proxy.Handed);
    }

    [Fact]
    public async Task Wish_of_the_server_about_renewal_is_asked_for_and_followed_and_the_order_says_what_it_replaces()
    {
        var now = _time.GetUtcNow();
        _server.Window = (now.AddDays(40), now.AddDays(41));
        var kept = Keep();
        await PassAsync(kept);
        await PassAsync(kept);
        Assert.InRange(kept.Status().RenewAt!.Value, now.AddDays(40), now.AddDays(41));
        Assert.Single(_server.Ordered);

        // As after a mistake of the issuer: at once.
        _server.Window = (now.AddDays(-2), now.AddDays(-1));
        _time.Advance(TimeSpan.FromHours(7));
        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Equal(2, _server.Ordered.Count);
        Assert.Matches("\"replaces\":\"[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\"", _server.Ordered[1]);
        Assert.DoesNotContain("replaces", _server.Ordered[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Limit_is_honoured_for_as_long_as_the_server_wants_and_by_other_hosts_too()
    {
        _server.Instead = path => path == "/new-order" ? FakeAcmeServer.Problem(HttpStatusCode.TooManyRequests, "rateLimited", TimeSpan.FromHours(3)) : null;
        var (one, other) = (Keep(), Keep());
        await PassAsync(one);
        Assert.Equal(_time.GetUtcNow().AddHours(3), one.Status().NextTry);
        Assert.Contains("rateLimited", one.Status().LastError, StringComparison.Ordinal);

        await MoveToAsync(one, _time.GetUtcNow().AddHours(3) - TimeSpan.FromMinutes(1), other);
        Assert.Single(Orders);
        _server.Instead = static _ => null;
        await MoveToAsync(one, _time.GetUtcNow().AddMinutes(3), other);

        Assert.Equal(2, Orders.Count());
        Assert.True(one.Status() is { IsInForce: true, LastError: null, Failures: 0 });
        Assert.True(other.Status().IsInForce);
    }

    [Fact]
    public async Task Other_names_wait_for_some_minutes_only_when_one_has_reached_its_limit()
    {
        _server.Instead = path => path == "/new-order" && !Orders.Skip(1).Any() ? FakeAcmeServer.Problem(HttpStatusCode.TooManyRequests, "rateLimited", TimeSpan.FromDays(7)) : null;
        var kept = Keep(null, "a.example", "b.example");
        await PassAsync(kept);
        Assert.Single(Orders);

        await MoveToAsync(kept, _time.GetUtcNow().AddMinutes(6));

        Assert.Equal(["a.example"], kept.Keeper.Report().Where(certificate => !certificate.IsInForce).Select(certificate => certificate.Host));
        Assert.Equal(2, Orders.Count());
    }

    [Fact]
    public async Task Failed_validation_is_tried_again_after_pauses_that_grow_up_to_a_limit()
    {
        _server.Refusal = static _ => "Nobody listens.";
        var kept = Keep();
        var pauses = new List<double>();

        for (var i = 0; i < 14; i++)
        {
            await PassAsync(kept);
            pauses.Add((kept.Status().NextTry!.Value - _time.GetUtcNow()).TotalMinutes);
            _time.Advance(kept.Status().NextTry!.Value - _time.GetUtcNow());
        }

        Assert.Equal("Nobody listens.", kept.Status().LastError!.Split(": ").Last());
        Assert.All(pauses.Zip([2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720, 720, 720, 720]), pair => Assert.InRange(pair.First, pair.Second, pair.Second * 1.2));
    }

    [Fact]
    public async Task Certificate_stays_in_force_while_its_renewal_fails()
    {
        var kept = Keep();
        await PassAsync(kept);
        await PassAsync(kept);
        _server.Refusal = static _ => "Nobody listens.";

        await MoveToAsync(kept, kept.Status().RenewAt!.Value.AddDays(3));

        Assert.True(kept.Status() is { IsInForce: true, Failures: > 5 });
        _server.Refusal = static _ => null;
        await MoveToAsync(kept, _time.GetUtcNow().AddDays(1));
        Assert.True(kept.Status() is { IsInForce: true, Failures: 0 });
        Assert.Equal(2, kept.Proxy.Handed.Count);
    }

    [Fact]
    public async Task Host_that_dies_with_the_lease_holds_others_up_for_two_minutes_and_no_longer()
    {
        var other = Keep();
        var dead = new IssuerLease(new AcmeStore(_store, "shop"), "dead", _time);
        Assert.True(await dead.TryTakeAsync(default));

        await MoveToAsync(other, _time.GetUtcNow().AddSeconds(110), step: TimeSpan.FromSeconds(10));
        Assert.Empty(Orders);
        await MoveToAsync(other, _time.GetUtcNow().AddSeconds(20), step: TimeSpan.FromSeconds(10));

        Assert.True(other.Status().IsInForce);
    }

    [Fact]
    public async Task Lease_of_a_host_whose_clock_is_ahead_holds_nobody_up()
    {
        var ahead = new FakeTimeProvider(_time.GetUtcNow().AddYears(1));
        Assert.True(await new IssuerLease(new AcmeStore(_store, "shop"), "ahead", ahead).TryTakeAsync(default));

        var kept = Keep();
        await PassAsync(kept);

        Assert.True(kept.Status().IsInForce);
    }

    [Fact]
    public async Task Store_that_is_away_is_told_of_and_what_is_known_is_handed_over_all_the_same()
    {
        var kept = Keep();
        await PassAsync(kept);
        var away = _folder.FullName + "-away";
        Directory.Move(_folder.FullName, away);

        await MoveToAsync(kept, _time.GetUtcNow().AddMinutes(5));
        Assert.Contains("absent", kept.Keeper.Failure, StringComparison.Ordinal);
        kept.Proxy.Lose();
        await PassAsync(kept);
        Assert.Equal([Host, Host], kept.Proxy.Handed);
        Assert.Single(kept.Logged, line => line.StartsWith("Could not look after", StringComparison.Ordinal));

        Directory.Move(away, _folder.FullName);
        await MoveToAsync(kept, _time.GetUtcNow().AddMinutes(2));
        Assert.Null(kept.Keeper.Failure);
        Assert.Single(Orders);
    }

    [Fact]
    public async Task Damaged_document_is_named_and_hinders_no_other_host()
    {
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "shop/acme/certificates"));
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "shop/acme/certificates/a.example.json"), "{ \"Host\": \"secret", Encoding.UTF8);
        var kept = Keep(null, "a.example", "b.example");

        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Contains("shop/acme/certificates/a.example.json", kept.Keeper.Failure, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", kept.Keeper.Failure, StringComparison.Ordinal);
        Assert.Equal(["b.example"], kept.Proxy.Handed);
    }

    [Fact]
    public async Task Contact_that_changes_is_told_to_the_server_with_the_next_order()
    {
        await PassAsync(Keep());

        await PassAsync(Keep(options => options with { Contact = ["mailto:admin@shop.example"] }, "shop.example", "new.example"));

        Assert.Contains(_server.Requests, request => request.StartsWith("POST /account/", StringComparison.Ordinal));
        Assert.Equal(1, _server.Accounts);
    }

    [Fact]
    public async Task What_a_host_does_that_has_lost_the_lease_changes_nothing()
    {
        var store = new AcmeStore(_store, "shop");
        var stale = await store.ReadAsync(store.KeyOf(Host), null, AcmeDocumentsJson.Default.CertificateDocument, default);
        var kept = Keep();
        await PassAsync(kept);

        Assert.Null(await store.WriteAsync(store.KeyOf(Host), stale, new CertificateDocument { Host = Host, Directory = "other" }, AcmeDocumentsJson.Default.CertificateDocument, default));

        await MoveToAsync(kept, _time.GetUtcNow().AddMinutes(2));
        Assert.True(kept.Status().IsInForce);
    }

    [Fact]
    public async Task Certificate_of_another_server_is_replaced()
    {
        await PassAsync(Keep());
        using var production = new FakeAcmeServer(_time);

        var kept = Keep(options => options with { Directory = new Uri("https://acme.test/dir?production") }, server: production);
        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Single(production.Ordered);
        Assert.Equal(1, production.Accounts);
        Assert.True(kept.Status().IsInForce);
    }

    [Fact]
    public async Task Proxy_that_has_lost_its_certificates_gets_them_again()
    {
        var kept = Keep();
        await PassAsync(kept);
        await PassAsync(kept);

        var anew = Keep();
        await PassAsync(anew);

        Assert.Equal([Host], anew.Proxy.Handed);
        Assert.Single(Orders);
    }

    [Fact]
    public async Task Proxy_that_is_away_is_told_once_it_is_back_and_no_order_is_made_before()
    {
        var kept = Keep();
        kept.Proxy.Away = "It isn't there.";
        await PassAsync(kept);
        Assert.Equal(("It isn't there.", 0), (kept.Keeper.Failure, _server.Requests.Count));

        kept.Proxy.Away = null;
        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Null(kept.Keeper.Failure);
        Assert.Equal([Host], kept.Proxy.Handed);
    }

    [Fact]
    public async Task Certificate_that_the_proxy_refuses_is_told_of_and_the_others_are_obtained()
    {
        var kept = Keep(null, "a.example", "b.example");
        kept.Proxy.Refused = "a.example";

        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Equal(["b.example"], kept.Proxy.Handed);
        Assert.Equal("It doesn't want a.example.", kept.Keeper.Failure);
        Assert.Equal([false, true], kept.Keeper.Report().Select(certificate => certificate.IsInForce));
    }

    [Fact]
    public async Task Application_that_wants_no_certificates_any_more_is_forgotten_by_the_proxy()
    {
        var kept = Keep();
        await PassAsync(kept);

        kept.Wanted = null;
        await PassAsync(kept);
        Assert.Equal(0, kept.Proxy.Removals);
        await MoveToAsync(kept, _time.GetUtcNow().AddMinutes(1));

        Assert.Equal(1, kept.Proxy.Removals);
        Assert.Empty(kept.Keeper.Report());
    }

    [Fact]
    public async Task Whoever_is_asked_says_for_which_names_certificates_are_obtained()
    {
        using var names = new AnsweredNames(name => name == "good.example");
        var kept = Keep(options => options with { Ask = new Uri("http://127.0.0.1/ask?token=x") }, names: names);
        kept.Wanted = new WantedCertificates([], [], OnDemand: true);
        kept.Proxy.Asked.AddRange(["good.example", "bad.example"]);

        await PassAsync(kept);
        await PassAsync(kept);
        await PassAsync(kept);

        Assert.Equal(["/ask?token=x&domain=good.example", "/ask?token=x&domain=bad.example"], names.Asked);
        Assert.Equal(["good.example"], kept.Proxy.Handed);
        Assert.Equal(["good.example"], kept.Keeper.Report().Select(certificate => certificate.Host));

        // They are found again by a Controller that starts.
        var anew = Keep(options => options with { Ask = new Uri("http://127.0.0.1/ask?token=x") }, names: names);
        anew.Wanted = kept.Wanted;
        await PassAsync(anew);
        Assert.Equal(["good.example"], anew.Proxy.Handed);
    }

    [Fact]
    public async Task No_key_is_logged_or_reported()
    {
        var kept = Keep();
        await PassAsync(kept);
        _server.Refusal = static _ => "no";
        await MoveToAsync(kept, kept.Status().RenewAt!.Value.AddDays(1));

        var documents = Directory.EnumerateFiles(_folder.FullName, "*.json", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var secrets = documents.SelectMany(text => text.Split("PRIVATE KEY").Where((_, i) => i % 2 == 1)).Select(pem => pem.Replace("\\n", "", StringComparison.Ordinal).Trim('-')[..40]).ToList();
        Assert.NotEmpty(secrets);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, string.Join('\n', kept.Logged) + string.Join('\n', kept.Keeper.Report()), StringComparison.Ordinal));
        Assert.All(Directory.EnumerateFiles(_folder.FullName, "*.json", SearchOption.AllDirectories), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    private IEnumerable<string> Orders => _server.Requests.Where(request => request == "POST /new-order");

    private KeptHost Keep(Func<AcmeOptions, AcmeOptions>? change = null, params string[] hosts) => Keep(change, null, null, hosts);

    private KeptHost Keep(Func<AcmeOptions, AcmeOptions>? change, HttpMessageHandler? server = null, HttpMessageHandler? names = null, params string[] hosts)
    {
        var options = new AcmeOptions { Directory = FakeAcmeServer.DirectoryAddress, NewHostDelay = TimeSpan.Zero };
        var wanted = hosts is [] ? [Host] : hosts;
        var kept = new KeptHost { Wanted = new WantedCertificates(wanted, wanted, OnDemand: false) };
        kept.Keeper = new CertificateKeeper(
            new CertificateOwner("shop", "i1"), change?.Invoke(options) ?? options, () => kept.Wanted, new AcmeStore(_store, "shop"), kept.Proxy,
            new AcmeNetwork(server ?? new Shared(_server), names ?? new Shared(_server)), _time, new Random(_kept.Count), kept.Log);
        _kept.Add(kept);
        return kept;
    }

    private static async Task PassAsync(KeptHost kept)
    {
        await kept.Keeper.PassAsync(default);
        await kept.Keeper.Issuing;
        await kept.Keeper.PassAsync(default);
    }

    private async Task MoveToAsync(KeptHost kept, DateTimeOffset until, KeptHost? other = null, TimeSpan? step = null)
    {
        var by = step ?? TimeSpan.FromTicks(Math.Max(TimeSpan.FromSeconds(30).Ticks, (until - _time.GetUtcNow()).Ticks / 200));
        while (_time.GetUtcNow() < until)
        {
            var left = until - _time.GetUtcNow();
            _time.Advance(by < left ? by : left);
            await PassAsync(kept);
            if (other is not null)
                await PassAsync(other);
        }
    }

    private sealed class KeptHost
    {
        public CertificateKeeper Keeper { get; set; } = null!;

        public FakeProxyAcme Proxy { get; } = new();

        public FakeLogger<CertificateKeeper> Log { get; } = new();

        public WantedCertificates? Wanted { get; set; }

        public IEnumerable<string> Logged => Log.Collector.GetSnapshot().Select(record => record.Message + record.Exception);

        public AutomaticCertificate Status() => Keeper.Report().Single();
    }

    // One server for several clients, each of which disposes of its own way to it.
    private sealed class Shared(HttpMessageHandler server) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker _server = new(server, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _server.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            _server.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class AnsweredNames(Func<string, bool> allows) : HttpMessageHandler
    {
        public List<string> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!.PathAndQuery);
            return Task.FromResult(new HttpResponseMessage(allows(request.RequestUri.Query.Split("domain=")[1]) ? HttpStatusCode.OK : HttpStatusCode.Forbidden));
        }
    }
}
