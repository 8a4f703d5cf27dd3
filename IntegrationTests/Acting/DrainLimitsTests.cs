using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Acting;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Acting;

public sealed class DrainLimitsTests
{
    private readonly DrainingProxy _proxy = new();
    private readonly DrainLimits _limits;
    private int _wakes;

    public DrainLimitsTests() => _limits = new DrainLimits(_proxy, new ProxyActorSettings("i1", "shop"), () => _wakes++, new FakeTimeProvider(SampleStatus.Now));

    [Fact]
    public async Task Each_release_that_drains_gets_more_time_than_was_left_to_each_kind_of_request()
    {
        var done = Assert.IsType<DrainOutcome.Done>(await _limits.ApplyAsync(new DrainOrder { Extend = TimeSpan.FromMinutes(5) }, default));

        var request = Assert.Single(_proxy.Requests);
        Assert.Equal((TimeSpan.FromSeconds(315), TimeSpan.FromSeconds(375)), (request.DrainTimeout, request.StreamDrainTimeout));
        Assert.Equal((SampleStatus.Old, 1), (Assert.Single(done.Releases).Target.Release, _wakes));
    }

    [Fact]
    public async Task Nobody_gets_more_than_a_day()
    {
        await _limits.ApplyAsync(new DrainOrder { Extend = TimeSpan.FromHours(24) }, default);

        Assert.Equal(TimeSpan.FromHours(24), Assert.Single(_proxy.Requests).StreamDrainTimeout);
    }

    [Fact]
    public async Task Release_that_is_named_by_the_beginning_of_its_hash_is_ended()
    {
        Assert.IsType<DrainOutcome.Done>(await _limits.ApplyAsync(new DrainOrder { Hash = "aaaa", End = true }, default));

        var request = Assert.Single(_proxy.Requests);
        Assert.Equal((true, null, null), (request.End, request.DrainTimeout, request.StreamDrainTimeout));
    }

    [Fact]
    public async Task Release_that_serves_can_not_be_ended()
    {
        var refused = Assert.IsType<DrainOutcome.Refused>(await _limits.ApplyAsync(new DrainOrder { Hash = SampleStatus.Serving, End = true }, default));

        Assert.Equal((DrainRefusal.NotDraining, 0), (refused.Refusal, _wakes));
        Assert.Empty(_proxy.Requests);
    }

    [Fact]
    public async Task Drain_that_ended_at_that_moment_is_no_error_of_the_proxy()
    {
        _proxy.Refusal = new ControlProblem { Type = ControlProblem.NotDraining, Title = "", Status = 409 };

        Assert.Equal(DrainRefusal.NotDraining, Assert.IsType<DrainOutcome.Refused>(await _limits.ApplyAsync(new DrainOrder { End = true }, default)).Refusal);
    }

    [Fact]
    public async Task Proxy_that_is_away_or_refuses_is_told()
    {
        _proxy.Refusal = new ControlProblem { Type = ControlProblem.ClaimedByOther, Title = "It is another's.", Status = 409 };
        Assert.Equal("The Proxy refused: It is another's.", Assert.IsType<DrainOutcome.Refused>(await _limits.ApplyAsync(new DrainOrder { End = true }, default)).Message);

        _proxy.Failure = new ProxyException(ProxyFault.Unreachable, "It is away.");
        Assert.Equal("It is away.", Assert.IsType<DrainOutcome.Refused>(await _limits.ApplyAsync(new DrainOrder { End = true }, default)).Message);
    }

    /// <summary>Serves what <see cref="SampleStatus"/> tells of.</summary>
    private sealed class DrainingProxy : IProxyControl
    {
        private readonly ApplicationState _state = new()
        {
            Application = "shop",
            Installation = "i1",
            Generation = 1,
            Fence = 1,
            Targets = [.. SampleStatus.Eventful.Releases.Select(r => r.Traffic!).Where(t => t is not null)],
            Total = SampleStatus.Eventful.Releases[0].Traffic!.Traffic,
        };

        public List<DrainRequest> Requests { get; } = [];

        public ControlProblem? Refusal { get; set; }

        public ProxyException? Failure { get; set; }

        public Task<ControlProblem?> SetHostDrainAsync(bool isDrained, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ApplyOutcome> LimitDrainAsync(string application, DrainRequest request, CancellationToken cancellationToken)
        {
            Requests.Add(request);
            return Task.FromResult<ApplyOutcome>(Refusal is null ? new ApplyOutcome.Applied(_state) : new ApplyOutcome.Refused(Refusal));
        }

        public Task<ApplicationState?> GetStateAsync(string application, CancellationToken cancellationToken) =>
            Failure is null ? Task.FromResult<ApplicationState?>(_state) : Task.FromException<ApplicationState?>(Failure);

        public Task<ApplyOutcome> ApplyAsync(ApplicationSnapshot snapshot, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<FenceOutcome> FenceAsync(string application, FenceRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<ProxyStatus> GetStatusAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
