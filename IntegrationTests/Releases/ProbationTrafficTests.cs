using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Releases;

/// <summary>Releases on probation whose requests go well, and badly.</summary>
public sealed class ProbationTrafficTests
{
    private const int Runs = 1_000;
    private const int RequestsPerSecond = 50;

    private static readonly TrafficSample Good = new(14_800, 59, 0);
    private static readonly TrafficSample Bad = new(612, 38, 0);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    [Fact]
    public void Traffic_goes_back_without_starting_anything_when_too_many_requests_fail_and_it_is_said_with_the_numbers()
    {
        var world = Deployed(Good, Judged);
        world.Calls.Clear();

        Serve(world, Bad, TimeSpan.FromSeconds(12));

        Assert.Equal("a", world.Serving);
        Assert.DoesNotContain(world.Calls, call => call.StartsWith("create", StringComparison.Ordinal) || call.StartsWith("start", StringComparison.Ordinal));
        Assert.Equal(DeploymentEnd.RolledBack, world.Latest.End);
        Assert.Equal(FailureClass.ErrorRate, world.Latest.Failure!.Class);
        Assert.Equal(
            "Release b answered with an error 38 of 612 requests (6.21%) in its first 12s; 1% may be, and the release before had 0.399%. a serves on. "
            + "Look at its last log lines, or raise Probation.MaxErrorRate; then publish a new configuration, or launch this one again.",
            world.Latest.Message);
    }

    [Fact]
    public void Traffic_goes_back_when_too_many_requests_take_too_long()
    {
        var world = Deployed(Good, c => c with { Probation = new ProbationSpec { MaxLatency = TimeSpan.FromMilliseconds(250) } });

        Serve(world, new TrafficSample(500, 0, 60), TimeSpan.FromSeconds(10));

        Assert.Equal("a", world.Serving);
        Assert.Equal(FailureClass.Latency, world.Latest.Failure!.Class);
        Assert.StartsWith("Release b took longer than 250ms for 60 of 500 requests (12%) in its first 10s; 1% may be", world.Latest.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Traffic_goes_back_once()
    {
        var world = Deployed(Good, Judged);
        Serve(world, Bad, TimeSpan.FromSeconds(12));

        Serve(world, "a", new TrafficSample(1_000, 500, 0), TimeSpan.FromSeconds(10));
        world.Advance(TimeSpan.FromHours(1));

        Assert.Equal("a", world.Serving);
        Assert.Single(world.Steps, step => step.Row == "FailBack");
    }

    [Fact]
    public void Requests_that_run_on_the_release_that_failed_finish_before_it_is_stopped()
    {
        var world = Deployed(Good, Judged);
        world.InFlight["b"] = 3;
        world.Calls.Clear();

        Serve(world, Bad, TimeSpan.FromSeconds(12));
        Assert.Equal(["route a"], world.Calls);

        world.FinishRequests("b");
        Assert.Equal(["route a", "stop b", "remove b"], world.Calls);
    }

    [Fact]
    public void Release_isnt_judged_once_its_probation_is_over()
    {
        var world = Deployed(Good, Judged);
        world.Advance(TimeSpan.FromSeconds(60));

        Serve(world, Bad, TimeSpan.FromSeconds(1));

        Assert.Equal("b", world.Serving);
    }

    [Fact]
    public void Release_isnt_judged_by_what_the_proxy_has_begun_to_forget()
    {
        var world = Deployed(Good, c => c with { Probation = new ProbationSpec { Duration = TimeSpan.FromHours(1), MaxErrorRate = 0.01 } });
        world.Advance(TimeSpan.FromMinutes(TrafficSample.JudgedMinutes));

        Serve(world, Bad, TimeSpan.FromSeconds(1));

        Assert.Equal("b", world.Serving);
    }

    [Fact]
    public void Release_isnt_judged_where_nobody_asked_for_it()
    {
        var world = Deployed(Good, c => c);

        Serve(world, Bad, TimeSpan.FromSeconds(12));

        Assert.Equal("b", world.Serving);
    }

    [Fact]
    public void Release_with_five_percent_errors_is_rolled_back_within_15_s_and_an_equally_good_noisy_one_is_not()
    {
        var bad = Enumerable.Range(0, Runs).Count(seed => IsRolledBack(new Noise(seed, 0.005, 1), new Noise(~seed, 0.05, 1), TimeSpan.FromSeconds(15)));
        var noisy = Enumerable.Range(0, Runs).Count(seed => IsRolledBack(new Noise(seed, 0.01, 1), new Noise(~seed, 0.01, 1), TimeSpan.FromMinutes(1)));
        var bursts = Enumerable.Range(0, Runs).Count(seed => IsRolledBack(new Noise(seed, 0.01, 2), new Noise(~seed, 0.01, 2), TimeSpan.FromMinutes(1)));
        TestContext.Current.TestOutputHelper?.WriteLine($"Of {Runs}: {bad} with 5 % errors rolled back, {noisy} with 1 % as before, {bursts} with 1 % in bursts as before");

        Assert.InRange(bad, Runs * 99 / 100, Runs);
        Assert.InRange(noisy, 0, Runs * 5 / 1000);
        Assert.InRange(bursts, 0, Runs * 5 / 1000);
    }

    private static LaunchConfiguration Judged(LaunchConfiguration configuration) => configuration with { Probation = new ProbationSpec { MaxErrorRate = 0.01 } };

    private static World Deployed(TrafficSample former, Func<LaunchConfiguration, LaunchConfiguration> change)
    {
        var world = new World();
        world.Deploy("a");
        world.Traffic["a"] = former;
        world.Deploy("b", change);
        return world;
    }

    private static void Serve(World world, TrafficSample sample, TimeSpan time) => Serve(world, "b", sample, time);

    private static void Serve(World world, string release, TrafficSample sample, TimeSpan time)
    {
        world.Traffic[release] = sample;
        world.CountRequests();
        world.Advance(time);
    }

    private static bool IsRolledBack(Noise former, Noise now, TimeSpan within)
    {
        var world = Deployed(former.Over(TrafficSample.LastMinutes * 60 / 10), Judged);
        for (var time = TimeSpan.Zero; time + Heartbeat <= within && world.Serving == "b"; time += Heartbeat)
            Serve(world, now.After((int)(Heartbeat.TotalSeconds * RequestsPerSecond)), Heartbeat);
        return world.Serving == "a";
    }

    // Errors that come alone, or several together.
    private sealed class Noise(int seed, double rate, int meanBurst)
    {
        private readonly Random _random = new(seed);
        private long _requests;
        private long _errors;

        /// <summary>Several slices of 10 s, as the Proxy tells of them.</summary>
        public TrafficSample Over(int slices)
        {
            var errors = Enumerable.Range(0, slices).Select(_ => -_errors + After(10 * RequestsPerSecond).Errors).ToList();
            var mean = errors.Average();
            return After(0) with { ErrorDispersion = errors.Sum(e => (e - mean) * (e - mean)) / (slices - 1) / mean };
        }

        public TrafficSample After(int requests)
        {
            for (var left = requests; left > 0;)
            {
                var together = 1;
                if (_random.NextDouble() < rate / meanBurst)
                {
                    while (_random.NextDouble() < 1 - (1.0 / meanBurst))
                        together++;
                    together = Math.Min(together, left);
                    _errors += together;
                }

                left -= together;
            }

            _requests += requests;
            return new TrafficSample(_requests, _errors, 0);
        }
    }
}
