using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Examining;
using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Api;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Examining;

public sealed class ExaminationTests : IDisposable
{
    private const long Gibibyte = 1L << 30;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-doctor");
    private readonly Examination _examination = new(TimeProvider.System);

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Store_that_holds_writes_to_their_conditions_is_well_and_nothing_is_left_in_it()
    {
        var findings = await Examination.StoreAsync(Store(), "shop", CancellationToken.None);

        Assert.Equal([("store", Verdict.Well), ("conditional writes", Verdict.Well)], findings.Select(finding => (finding.Subject, finding.Verdict)));
        Assert.Empty(await Store().ListAsync("shop/", 10, CancellationToken.None));
    }

    [Fact]
    public async Task Store_that_ignores_conditions_is_found()
    {
        var findings = await Examination.StoreAsync(new CarelessStore(Store()), "shop", CancellationToken.None);

        Assert.Equal(Verdict.Wrong, findings[1].Verdict);
        Assert.Contains("overwrite each other", findings[1].Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Engine_that_is_not_reached_is_found_with_what_to_do()
    {
        var finding = Assert.Single(await Examination.EngineAsync(_ => throw new EngineException(EngineFault.Unreachable, "The engine isn't reached."), CancellationToken.None));

        Assert.Equal((Verdict.Wrong, "The engine isn't reached."), (finding.Verdict, finding.What));
        Assert.Contains("systemctl start docker", finding.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, Verdict.Well)]
    [InlineData(false, Verdict.Doubtful)]
    internal async Task Engine_whose_restart_stops_containers_is_doubted(bool liveRestore, Verdict verdict)
    {
        var findings = await Examination.EngineAsync(_ => Task.FromResult(new EngineInfo("27.0", "1.46", liveRestore, "overlay2")), CancellationToken.None);

        Assert.Equal(verdict, findings.Single(finding => finding.Subject == "live-restore").Verdict);
    }

    [Theory]
    [InlineData(100, 200, Verdict.Well)]
    [InlineData(4, 20, Verdict.Doubtful)]
    [InlineData(100, 2000, Verdict.Doubtful)]
    internal void Disk_that_is_nearly_full_is_doubted(long free, long total, Verdict verdict) => Assert.Equal(verdict, Examination.Disk("/var/lib", free * Gibibyte, total * Gibibyte).Verdict);

    [Theory]
    [InlineData("00:00:02", Verdict.Well)]
    [InlineData("-00:01:00", Verdict.Doubtful)]
    [InlineData("00:20:00", Verdict.Wrong)]
    internal void Clock_that_is_off_is_found(string by, Verdict verdict) =>
        Assert.Equal(verdict, Examination.Clock(DateTimeOffset.UnixEpoch + TimeSpan.Parse(by, CultureInfo.InvariantCulture), DateTimeOffset.UnixEpoch, "s3").Verdict);

    [Fact]
    public async Task Registry_that_is_not_there_is_doubted_with_its_port()
    {
        var port = FreePort.Next();

        var finding = await _examination.RegistryAsync(port, CancellationToken.None);

        Assert.Equal(Verdict.Doubtful, finding.Verdict);
        Assert.Contains($"{port}", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_controller_finds_wrong_is_told_but_for_what_is_no_trouble()
    {
        var status = new FakeOperations().Status with
        {
            Conditions =
            [
                new Condition("RollbackAvailable", false, "NoFormerRelease", "No former release is kept.", default),
                new Condition("StateDurable", false, "WriteFailed", "The disk is full.", default),
                new Condition("Ready", true, "Serving", "The desired release serves.", default),
            ],
        };

        var findings = Examination.Conditions(status, "web1");

        Assert.Equal([("controller", Verdict.Well), ("proxy", Verdict.Well), ("StateDurable", Verdict.Wrong)], findings.Select(finding => (finding.Subject, finding.Verdict)));
    }

    private IObjectStore Store() => ObjectStore.Open(_directory.FullName, new StoreOptions());

    /// <summary>Takes every write, as some look-alikes of S3 do.</summary>
    private sealed class CarelessStore(IObjectStore store) : IObjectStore
    {
        public string Description => store.Description;

        public Task<StoreRead> GetAsync(string key, string? ifNoneMatch, long maxBytes, CancellationToken cancellationToken) => store.GetAsync(key, ifNoneMatch, maxBytes, cancellationToken);

        public Task<string?> PutAsync(string key, ReadOnlyMemory<byte> content, PutCondition condition, CancellationToken cancellationToken) => store.PutAsync(key, content, PutCondition.None, cancellationToken);

        public Task DeleteAsync(string key, CancellationToken cancellationToken) => store.DeleteAsync(key, cancellationToken);

        public Task<IReadOnlyList<string>> ListAsync(string prefix, int limit, CancellationToken cancellationToken) => store.ListAsync(prefix, limit, cancellationToken);

        public Task<Stream> OpenAsync(string? bucket, string key, CancellationToken cancellationToken) => store.OpenAsync(bucket, key, cancellationToken);

        public Task WaitForChangeAsync(string key, CancellationToken cancellationToken) => store.WaitForChangeAsync(key, cancellationToken);
    }

    [Fact]
    public void Public_port_is_the_proxys_or_free_or_taken_by_somebody_else()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = (IPEndPoint)other.LocalEndpoint;
        var proxy = new ProxyStatus { Version = "1", ProcessId = 4711, StartedAt = default, HeapSizeBytes = 0, Listening = ["0.0.0.0:80"] };

        Assert.Equal((Verdict.Well, "The Proxy, process 4711, listens on 0.0.0.0:80."), VerdictOf(PortExamination.PublicAddress(proxy, taken)));
        Assert.Equal(Verdict.Well, PortExamination.PublicAddress(null, new IPEndPoint(IPAddress.Loopback, FreePort.Next())).Verdict);
        var wrong = PortExamination.PublicAddress(null, taken);
        Assert.Equal(Verdict.Wrong, wrong.Verdict);
        Assert.Contains($"ss -ltnp 'sport = :{taken.Port}'", wrong.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_that_this_host_does_not_have_is_no_public_one()
    {
        var finding = PortExamination.PublicAddress(null, new IPEndPoint(IPAddress.Parse("203.0.113.7"), 8080));

        Assert.Equal(Verdict.Wrong, finding.Verdict);
        Assert.Contains("--proxy", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_socket_is_tried_as_this_user()
    {
        var path = Path.Combine(_directory.FullName, "proxy.sock");
        Assert.Equal(Verdict.Doubtful, (await PortExamination.ControlSocketAsync(path, TimeProvider.System, TestContext.Current.CancellationToken)).Verdict);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        Assert.Equal(Verdict.Doubtful, (await PortExamination.ControlSocketAsync(path, TimeProvider.System, TestContext.Current.CancellationToken)).Verdict);

        socket.Listen();

        Assert.Equal(Verdict.Well, (await PortExamination.ControlSocketAsync(path, TimeProvider.System, TestContext.Current.CancellationToken)).Verdict);
    }

    [Theory]
    [InlineData("65536", Verdict.Well, Verdict.Well)]
    [InlineData("unlimited", Verdict.Well, Verdict.Well)]
    [InlineData("4096", Verdict.Well, Verdict.Doubtful)]
    [InlineData("256", Verdict.Doubtful, Verdict.Doubtful)]
    [InlineData(null, Verdict.Doubtful, Verdict.Doubtful)]
    internal void Limit_of_descriptors_that_is_low_is_doubted(string? soft, Verdict ours, Verdict proxys)
    {
        var limits = soft is null ? null : $"Limit                     Soft Limit           Hard Limit           Units\nMax open files            {soft,-21}524288               files\n";

        Assert.Equal(ours, DescriptorExamination.OfOurs(limits).Verdict);
        Assert.Equal(proxys, DescriptorExamination.OfProxy(4711, limits).Verdict);
    }

    [Fact]
    public void Limits_of_a_process_are_read_from_the_kernel()
    {
        Assert.Contains("Max open files", DescriptorExamination.Read("self"), StringComparison.Ordinal);
        Assert.Null(DescriptorExamination.Read("0"));
    }

    private static (Verdict, string) VerdictOf(Finding finding) => (finding.Verdict, finding.What);
}
