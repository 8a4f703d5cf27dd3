using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>A folder of certificates whose files come, change, break and go.</summary>
public sealed class CertificateFolderTests : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    private readonly TestAuthority _authority = new();
    private readonly FakeTimeProvider _time = new(Now);
    private readonly FakeLogger<CertificateFolder> _log = new();
    private CertificateFolder? _folder;

    public void Dispose()
    {
        _folder?.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void Each_way_to_lay_files_out_is_understood()
    {
        var pem = _authority.Issue(["pem.example"]);
        TestAuthority.WriteKey(_authority.At("one.pem"), pem.Key + "\n" + pem.Chain);
        var split = _authority.Issue(["split.example"]);
        TestAuthority.WriteFile(_authority.At("two.pem"), split.Chain);
        TestAuthority.WriteKey(_authority.At("two.key"), split.Key);
        var certbot = WriteLikeCertbot("bot.example", 1);
        TestAuthority.WriteFile(_authority.At("README"), "This folder has certificates.");
        Directory.CreateDirectory(_authority.At("empty"));
        Start();

        Assert.Equal([pem.SerialNumber, split.SerialNumber, certbot.SerialNumber], [Serial("pem.example"), Serial("split.example"), Serial("bot.example")]);
        Assert.Equal(["bot.example", "one", "shop.example", "two"], _folder!.Report().Select(certificate => certificate.Name));
        Assert.All(_folder.Report(), certificate => Assert.Null(certificate.Problem));
    }

    [Fact]
    public void Renewal_by_certbot_is_taken_at_the_next_look()
    {
        WriteLikeCertbot("bot.example", 1);
        Start();

        var renewed = WriteLikeCertbot("bot.example", 2);
        _time.Advance(Interval);

        Assert.Equal(renewed.SerialNumber, Serial("bot.example"));
    }

    [Fact]
    public void Certificate_and_key_that_are_replaced_one_after_the_other_never_make_a_broken_pair()
    {
        var former = _authority.Write("shop", "new.example");
        Start();
        var renewed = _authority.Issue(["new.example"]);

        TestAuthority.WriteFile(_authority.At("shop.crt"), renewed.Chain);
        _time.Advance(Interval);

        Assert.Equal(former.SerialNumber, Serial("new.example"));
        Assert.Contains("don't make a certificate with its key", Status("shop").Problem, StringComparison.Ordinal);
        TestAuthority.WriteKey(_authority.At("shop.key"), renewed.Key);
        _time.Advance(Interval);
        Assert.Equal(renewed.SerialNumber, Serial("new.example"));
        Assert.Null(Status("shop").Problem);
    }

    [Theory]
    [InlineData("shop.crt", "")]
    [InlineData("shop.crt", "no certificate")]
    [InlineData("shop.crt", "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----")]
    [InlineData("shop.key", "")]
    [InlineData("shop.key", "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----")]
    [InlineData("shop.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----")]
    public void Broken_file_leaves_the_former_certificate_in_force_and_says_so_once(string file, string content)
    {
        var former = _authority.Write("shop", "new.example");
        Start();

        TestAuthority.WriteFile(_authority.At(file), content);
        _time.Advance(10 * Interval);

        Assert.Equal(former.SerialNumber, Serial("new.example"));
        Assert.Contains(_authority.At(file), Status("shop").Problem, StringComparison.Ordinal);
        Assert.Matches("^Refused certificate shop: .* The former one stays in force", Assert.Single(Logged, line => line.StartsWith("Refused", StringComparison.Ordinal)));
    }

    [Fact]
    public void Certificate_that_is_not_for_servers_is_refused()
    {
        var wrong = _authority.Issue(["new.example"], usage: "1.3.6.1.5.5.7.3.2");
        TestAuthority.WriteKey(_authority.At("wrong.pem"), wrong.Chain + "\n" + wrong.Key);
        Start();

        Assert.Null(Serial("new.example"));
        Assert.Contains("is not a certificate for servers", Status("wrong").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_that_could_not_be_read_is_tried_again()
    {
        var issued = _authority.Write("shop", "new.example");
        File.Move(_authority.At("shop.key"), _authority.At("away"));
        Start();
        Assert.Contains("shop.key can't be read", Status("shop").Problem, StringComparison.Ordinal);

        File.Move(_authority.At("away"), _authority.At("shop.key"));
        _time.Advance(Interval);

        Assert.Equal(issued.SerialNumber, Serial("new.example"));
    }

    [Fact]
    public void Certificate_whose_files_are_away_for_a_moment_stays_and_one_that_was_removed_goes()
    {
        var issued = _authority.Write("shop", "new.example");
        Start();

        File.Move(_authority.At("shop.crt"), _authority.At("away"));
        _time.Advance(Interval);
        Assert.Equal(issued.SerialNumber, Serial("new.example"));
        File.Move(_authority.At("away"), _authority.At("shop.crt"));
        _time.Advance(5 * Interval);
        Assert.Equal(issued.SerialNumber, Serial("new.example"));

        File.Delete(_authority.At("shop.crt"));
        _time.Advance(2 * Interval);
        Assert.Null(Serial("new.example"));
        Assert.DoesNotContain(_folder!.Report(), certificate => certificate.Name == "shop");
    }

    [Fact]
    public void Folder_that_can_not_be_read_leaves_all_in_force()
    {
        Start();

        Directory.Move(_authority.Certificates, _authority.Certificates + "-away");
        _time.Advance(10 * Interval);

        Assert.NotNull(Serial(TestAuthority.Host));
        Assert.Contains("can't be read", Status(_authority.Certificates).Problem, StringComparison.Ordinal);
        Directory.Move(_authority.Certificates + "-away", _authority.Certificates);
        _time.Advance(Interval);
        Assert.Equal([TestAuthority.Host], _folder!.Report().Select(certificate => certificate.Name));
    }

    [Fact]
    public void Expired_certificate_does_not_replace_one_that_is_valid_but_serves_where_there_is_none()
    {
        var valid = _authority.Write("shop", "new.example");
        var expired = _authority.Issue(["new.example"], notAfter: Now - Interval);
        Start();

        WritePair("shop", expired);
        WritePair("other", _authority.Issue(["other.example"], notAfter: Now - Interval));
        _time.Advance(Interval);

        Assert.Equal(valid.SerialNumber, Serial("new.example"));
        Assert.StartsWith("It expired at ", Status("shop").Problem, StringComparison.Ordinal);
        Assert.NotNull(Serial("other.example"));
        Assert.StartsWith("It has expired", Status("other").Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(90, 14)]
    [InlineData(6, 1)]
    public void End_of_a_certificate_is_warned_of_once_a_day_from_some_days_before(int lifetimeDays, int noticeDays)
    {
        WritePair("shop", _authority.Issue(["new.example"], Now, Now.AddDays(lifetimeDays)));
        var entry = new CertificateEntry("shop");
        entry.Look(new CertificateFiles("shop", _authority.At("shop.crt"), _authority.At("shop.key")), Now);
        var notice = Now.AddDays(lifetimeDays - noticeDays);

        Assert.Null(entry.Report(notice - Interval).Problem);
        Assert.StartsWith("It expires soon", entry.Report(notice).Problem, StringComparison.Ordinal);
        Assert.Equal(
            [false, true, false, true, false],
            [Warns(-Interval), Warns(TimeSpan.Zero), Warns(Interval), Warns(TimeSpan.FromDays(1)), Warns(TimeSpan.FromDays(1) + Interval)]);

        bool Warns(TimeSpan later) => entry.IsToBeWarnedOf(notice + later);
    }

    [Fact]
    public void Certificate_that_ends_soon_is_logged()
    {
        WritePair("shop", _authority.Issue(["new.example"], Now.AddDays(-80), Now.AddDays(10)));
        Start();

        Assert.Contains(Logged, line => line.StartsWith("Certificate shop for new.example expires at", StringComparison.Ordinal));
        Assert.StartsWith("It expires soon", Status("shop").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_that_others_may_read_is_warned_of()
    {
        _authority.Write("shop", "new.example");
        File.SetUnixFileMode(_authority.At("shop.key"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Start();

        Assert.Contains(Logged, line => line.Contains($"private key {_authority.At("shop.key")}", StringComparison.Ordinal));
        Assert.Contains("chmod 600", Status("shop").Problem, StringComparison.Ordinal);
        Assert.NotNull(Serial("new.example"));

        File.SetUnixFileMode(_authority.At("shop.key"), UnixFileMode.UserRead);
        _time.Advance(Interval);
        Assert.Null(Status("shop").Problem);
    }

    [Fact]
    public void Automatic_certificate_is_used_beside_those_of_the_folder_warned_of_and_removed_a_week_after_its_end()
    {
        var automatic = new AutomaticFolder(Path.Combine(_authority.Certificates, "..", "automatic"));
        var issued = _authority.Issue(["auto.example"], Now, Now.AddDays(90));
        automatic.Keep("auto.example", issued.Chain, issued.Key);
        Start(Now);
        Assert.Equal(issued.SerialNumber, Serial("auto.example"));
        Assert.NotNull(Serial(TestAuthority.Host));

        Start(Now.AddDays(96));
        Assert.StartsWith("It has expired. It wasn't renewed;", Status("auto.example (automatic)").Problem, StringComparison.Ordinal);
        var time = Start(Now.AddDays(98));
        time.Advance(3 * Interval);

        Assert.Empty(automatic.List());
        Assert.Null(Serial("auto.example"));
        Assert.Equal([TestAuthority.Host], _folder!.Report().Select(certificate => certificate.Name));

        FakeTimeProvider Start(DateTimeOffset now)
        {
            _folder?.Dispose();
            var time = new FakeTimeProvider(now);
            _folder = new CertificateFolder(_authority.Certificates, null, time, _log, automatic);
            return time;
        }
    }

    [Fact]
    public void Nothing_of_a_key_is_logged_or_reported_whatever_is_wrong_with_it()
    {
        var issued = _authority.Write("shop", "new.example");
        Start();
        foreach (var broken in new[] { issued.Key[..^40], issued.Key.Replace("PRIVATE", "PUBLIC", StringComparison.Ordinal), issued.Key.Replace("\n", "", StringComparison.Ordinal) })
        {
            TestAuthority.WriteFile(_authority.At("shop.key"), broken);
            _time.Advance(Interval);
            TestAuthority.WriteFile(_authority.At("shop.crt"), broken);
            _time.Advance(Interval);
        }

        var secret = issued.Key.Split('\n')[1][..20];
        Assert.NotNull(Status("shop").Problem);
        Assert.DoesNotContain(Logged.Concat(_folder!.Report().Select(certificate => certificate.ToString())), line => line.Contains(secret, StringComparison.Ordinal));
    }

    private IEnumerable<string> Logged => _log.Collector.GetSnapshot().Select(record => record.Message + record.Exception);

    private void Start() => _folder = new CertificateFolder(_authority.Certificates, null, _time, _log);

    private CertificateStatus Status(string name) => _folder!.Report().Single(certificate => certificate.Name == name);

    private string? Serial(string host) => _folder!.Choose(host, asksClient: false)?.ServerCertificateContext!.TargetCertificate.SerialNumber;

    private void WritePair(string name, TestCertificate certificate)
    {
        TestAuthority.WriteFile(_authority.At(name + ".crt"), certificate.Chain);
        TestAuthority.WriteKey(_authority.At(name + ".key"), certificate.Key);
    }

    // archive/NAME has every version; live/NAME has links to the latest.
    private TestCertificate WriteLikeCertbot(string name, int version)
    {
        var issued = _authority.Issue([name]);
        var archive = Directory.CreateDirectory(_authority.Certificates + "-archive").FullName;
        Directory.CreateDirectory(_authority.At(name));
        foreach (var (file, content) in new[] { ("fullchain", issued.Chain), ("privkey", issued.Key) })
        {
            var path = Path.Combine(archive, $"{file}{version}.pem");
            TestAuthority.WriteKey(path, content);
            File.Delete(_authority.At($"{name}/{file}.pem"));
            File.CreateSymbolicLink(_authority.At($"{name}/{file}.pem"), path);
        }

        return issued;
    }
}
