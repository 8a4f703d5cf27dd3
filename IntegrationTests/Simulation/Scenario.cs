using System.Text;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Durable;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The story of one seed: decisions and faults at random times, then calm, in which all must come to rest as the last decision demands.</summary>
internal sealed class Scenario
{
    private static readonly TimeSpan SettleLimit = TimeSpan.FromMinutes(4);

    // A minute that a deployment may take, half a minute until its end has to be known, and half a minute of engine and store that hang.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(2);

    private readonly SimulatedHost _host;
    private readonly Random _random;
    private readonly List<(int Weight, Func<Task> Act)> _acts;
    private readonly List<SimulatedRelease> _releases;

    public Scenario(SimulatedHost host)
    {
        _host = host;
        _random = host.Random;
        _releases = [.. SimulatedRelease.All.Where(_ => _random.Next(3) > 0)];
        if (_releases.All(r => r.Fate != ReleaseFate.Serves))
            _releases.Add(SimulatedRelease.All[_random.Next(4)]);
        _acts = [.. Acts().Where(_ => _random.Next(3) > 0)];
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="PromiseBrokenException">What didn't hold.</exception>
    public void Run(TimeSpan quiet)
    {
        var trouble = _random.Next(2) == 0 ? 0 : _random.NextDouble() * 0.2;
        _host.EngineWay.Trouble = _random.Next(2) * trouble;
        _host.ProxyWay.Trouble = _random.Next(2) * trouble;
        _host.StoreWay.Trouble = _random.Next(2) * trouble;
        if (_random.Next(4) > 0)
            Publish(Any());
        _host.Start();
        var storm = TimeSpan.FromSeconds(30 + _random.Next(60));
        var acts = 4 + _random.Next(12);
        for (var act = 0; act < acts; act++)
        {
            _host.Thread.RunUntil(_host.Thread.Now + (storm.Ticks * (long)(_random.NextDouble() * 2000) / (1000 * acts)));
            _host.Thread.Start(_host.World, PickAct());
        }

        _host.Thread.RunUntil(_host.Thread.Now + TimeSpan.FromSeconds(_random.Next(30)).Ticks);
        Settle(quiet);
    }

    private void Settle(TimeSpan quiet)
    {
        var last = Calm();
        _host.Thread.RunUntil(_host.Thread.Now + Way.LongestDelay.Ticks);
        var isSettled = false;
        for (var end = _host.Thread.Now + SettleLimit.Ticks; !isSettled && _host.Thread.Now < end;)
        {
            _host.Thread.RunUntil(_host.Thread.Now + TimeSpan.TicksPerSecond);
            isSettled = IsSettled;
        }

        if (!isSettled)
            throw new PromiseBrokenException($"It didn't come to rest within {SettleLimit}: {_host.Controller.Reconciler?.Status.Plan.Row}, {_host.Controller.Reconciler?.Status.Plan.Reason}");
        new Demand(_host, last).Require();
        var before = Activity();
        _host.Story.Tell("Scenario", "is quiet");
        before = before with { Lines = _host.Story.Count };
        _host.Thread.RunUntil(_host.Thread.Now + quiet.Ticks);
        if (Activity() != before)
            throw new PromiseBrokenException($"It isn't quiet: {before} became {Activity()}.");
        new Demand(_host, last).Require();
    }

    private bool IsSettled => _decided && _host.Controller.Reconciler is { } reconciler && reconciler.Started.IsCompleted
        && reconciler.Status is { Plan: { Row: "Settled", Working.Count: 0 }, Deployments: var deployments } status
        && deployments.All(d => d.End is not null)
        && status.Releases.All(r => r.Phase != ReleasePhase.Recovering)
        && (status.Plan.LookAgainAt is not { } at || at - status.At > TimeSpan.FromMinutes(30));

    private (int Engine, int Writes, int ProxyWrites, int Lines) ActivityNow => (_host.EngineWay.Calls, _host.Disk.Steps, _host.Proxy.Writes, _host.Story.Count);

    private ActivityCount Activity() => new(ActivityNow.Engine, ActivityNow.Writes, ActivityNow.ProxyWrites, ActivityNow.Lines);

    private bool _decided;
    private bool _isCalm;

    /// <summary>All faults end, and a last decision is made.</summary>
    private SimulatedRelease Calm()
    {
        _host.Story.Tell("Scenario", "faults end");
        _isCalm = true;
        foreach (var way in new[] { _host.EngineWay, _host.ProxyWay, _host.StoreWay })
        {
            way.EndTrouble();
            way.IsUp = way != _host.ProxyWay || _host.Proxy.IsUp;
        }

        _host.ProbeTrouble = 0;
        _host.Disk.IsFull = false;
        _host.Disk.PowerCutAt = null;
        _host.Controller.Life?.EndAtStep(int.MaxValue, () => { });
        _host.Proxy.DiskIsFull = false;
        _host.Engine.Registries.Add(SimulatedRelease.Registry);
        (_host.ProxyCanStart, _host.IsSupervised) = (true, true);
        foreach (var container in _host.Engine.Containers)
        {
            container.IsSick = false;
            _host.Engine.Pause(container, isPaused: false);
        }

        if (!_host.Controller.IsUp)
            _host.StartControllerSoon();
        var last = Last();
        _host.Thread.Start(_host.World, () => DecideAsync(last));
        return last;
    }

    private SimulatedRelease Last()
    {
        var mayFail = _releases.All(r => r.Fate != ReleaseFate.ServesAndDies) && _random.Next(4) == 0;
        var choices = _releases.Where(r => r.Fate == ReleaseFate.Serves || (mayFail && r.Fate == ReleaseFate.Fails)).ToList();
        return choices[_random.Next(choices.Count)];
    }

    private async Task DecideAsync(SimulatedRelease last)
    {
        // A document that was being read when the faults ended is older than the decision only once it was seen.
        await Task.Delay(TimeSpan.FromSeconds(20), _host.Time);
        var isCurrent = _host.Store["shop/current.json"] is { } current && current.AsSpan().SequenceEqual(last.Document);
        if (_random.Next(2) == 0 && !isCurrent)
            Publish(last);
        else
            await InsistAsync("/switch", "?wait=false", last.Hash);
        await InsistAsync("/maintenance/down", "", "");
        await InsistAsync("/resume", "", "");
        _decided = true;
    }

    private async Task InsistAsync(string call, string query, string body)
    {
        while (await AskAsync(call, query, body, Timeout.InfiniteTimeSpan) is not { IsAccepted: true })
            await Task.Delay(TimeSpan.FromSeconds(1), _host.Time);
        await Task.Delay(TimeSpan.FromSeconds(6), _host.Time);
    }

    private void Publish(SimulatedRelease release)
    {
        _host.Story.Tell("Store", $"current.json is {release.Name}");
        _host.Store["shop/current.json"] = release.Document;
    }

    private SimulatedRelease Any() => _releases[_random.Next(_releases.Count)];

    // Which one is the clock's choice.
    private string Interruption(bool begins) => (_host.Time.GetUtcNow().Millisecond % 2, begins) switch
    {
        (0, true) => "/maintenance/up",
        (0, false) => "/maintenance/down",
        (_, true) => "/pause",
        (_, false) => "/resume",
    };

    private Func<Task> PickAct()
    {
        var pick = _random.Next(_acts.Sum(a => a.Weight));
        foreach (var (weight, act) in _acts)
        {
            if ((pick -= weight) < 0)
                return act;
        }

        throw new InvalidOperationException("There is no act.");
    }

    private IEnumerable<(int Weight, Func<Task> Act)> Acts()
    {
        yield return (8, Now(() => Publish(Any())));
        yield return (6, () => OrderAsync("/switch", Any().Hash));
        yield return (4, () => OrderAsync("/launch", Any().Hash));
        yield return (2, () => AskAsync("/canary", "", $"{_random.Next(3) * 30}%", Timeout.InfiniteTimeSpan));
        yield return (3, CanaryAsync);
        yield return (1, () => OrderAsync("/launch", new string('0', 64)));
        yield return (1, () => OrderAsync("/switch", "v1"));
        yield return (2, () => AskAsync(Interruption(_random.Next(2) == 0), "", "", Timeout.InfiniteTimeSpan));
        yield return (2, Now(PublishGarbage));
        yield return (5, Now(() => _host.Controller.Life?.EndAtStep(1 + _random.Next(300), CrashController)));
        yield return (3, Now(CrashAtWrite));
        yield return (2, Now(_host.Controller.Stop));
        yield return (3, CrashProxyAsync);
        yield return (3, () => _host.RestartEngineAsync(Seconds(0.1, 15), containersLive: _random.Next(2) == 0));
        yield return (2, () => HangAsync(_host.EngineWay));
        yield return (2, () => HangAsync(_host.ProxyWay));
        yield return (2, () => HangAsync(_host.StoreWay));
        yield return (2, () => StoreDownAsync());
        yield return (2, () => RegistryDownAsync());
        yield return (3, () => _host.PowerCutAsync(Seconds(1, 20)));
        yield return (5, Now(() => Hit("crashes", c => _host.Engine.Exit(c, 1, EndedBy.Fault, outOfMemory: _random.Next(3) == 0))));
        yield return (2, SickenAsync);
        yield return (1, PauseAsync);
        yield return (2, Now(() => Hit("is removed by somebody", _host.Promises.RemoveByForce)));
        yield return (2, Now(JumpClock));
        yield return (2, FillDiskAsync);
        yield return (1, FillProxyDiskAsync);

        // The stories of other seeds stay what they were when they found something.
        if (_host.Seed >= 0)
            yield break;
        yield return (8, () => AskAsync("/abort", "", "", Timeout.InfiniteTimeSpan));
        yield return (4, () => OrderAsync("/retry", ""));
    }

    private static Func<Task> Now(Action act) => () =>
    {
        act();
        return Task.CompletedTask;
    };

    private TimeSpan Seconds(double from, double to) => TimeSpan.FromSeconds(from + (_random.NextDouble() * (to - from)));

    private void CrashController()
    {
        _host.Controller.Crash();
        _host.StartControllerSoon();
    }

    private void CrashAtWrite()
    {
        var isTheControllerOnly = _random.Next(2) == 0;
        var disk = _host.Disk;
        disk.PowerCutAt = disk.Steps + 1 + _random.Next(12);
        disk.WhenOff = () =>
        {
            SynchronizationContext.SetSynchronizationContext(_host.World);
            _host.Story.Tell("Disk", "the Controller ends in the middle of a write");
            if (isTheControllerOnly)
                CrashController();
            else
                _host.Thread.Start(_host.World, () => _host.PowerCutAsync(Seconds(1, 10)));
            _host.Controller.Crash();
        };
    }

    private async Task CrashProxyAsync()
    {
        _host.Story.Tell("Proxy", "crashes");
        _host.Proxy.Crash();
        _host.ProxyCanStart = _random.Next(2) == 0;
        await Task.Delay(Seconds(0.1, 8), _host.Time);
        _host.ProxyCanStart = true;
    }

    private Task HangAsync(Way way)
    {
        var time = Seconds(1, 45);
        _host.Story.Tell("Scenario", $"a peer hangs for {time.TotalSeconds:0.0} s");
        way.HangsUntil = _host.Thread.Now + time.Ticks;
        return Task.CompletedTask;
    }

    private async Task StoreDownAsync()
    {
        _host.Story.Tell("Store", "is down");
        _host.StoreWay.IsUp = false;
        await Task.Delay(Seconds(1, 40), _host.Time);
        _host.StoreWay.IsUp = true;
    }

    private async Task RegistryDownAsync()
    {
        _host.Story.Tell("Registry", "is down");
        _host.Engine.Registries.Remove(SimulatedRelease.Registry);
        await Task.Delay(Seconds(1, 40), _host.Time);
        _host.Engine.Registries.Add(SimulatedRelease.Registry);
    }

    private void Hit(string what, Action<SimulatedContainer> act)
    {
        var ours = _host.Ours.ToList();
        if (ours.Count == 0)
            return;
        var container = ours[_random.Next(ours.Count)];
        _host.Story.Tell("Scenario", $"{container.Name} {what}");
        act(container);
    }

    private async Task SickenAsync()
    {
        SimulatedContainer? sick = null;
        Hit("is sick", c => (sick = c).IsSick = true);
        await Task.Delay(Seconds(1, 20), _host.Time);
        if (sick is not null)
            sick.IsSick = false;
    }

    private async Task CanaryAsync()
    {
        await AskAsync("/launch", "?wait=false", Any().Hash, Timeout.InfiniteTimeSpan);
        foreach (var share in new[] { "10%", "50%" })
        {
            await Task.Delay(Seconds(0.5, 5), _host.Time);
            if (!_isCalm)
                await AskAsync("/canary", "", share, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task PauseAsync()
    {
        SimulatedContainer? paused = null;
        Hit("is paused", c => _host.Engine.Pause(paused = c, isPaused: true));
        await Task.Delay(Seconds(1, 20), _host.Time);
        if (paused is not null)
            _host.Engine.Pause(paused, isPaused: false);
    }

    private void JumpClock()
    {
        var jump = _random.Next(4) switch
        {
            0 => TimeSpan.FromSeconds(3),
            1 => TimeSpan.FromSeconds(-3),
            2 => TimeSpan.FromHours(1),
            _ => TimeSpan.FromHours(-1),
        };

        // Between two steps of the Controller, or at one of them; which one is the clock's choice.
        var moment = _host.Time.GetUtcNow().Millisecond;
        if (moment % 2 == 0 && _host.Controller.Life is { } life)
            life.EndAtStep(1 + (moment % 100), () => SetClock(jump));
        else
            SetClock(jump);
    }

    private void SetClock(TimeSpan jump)
    {
        _host.Story.Tell("Clock", $"jumps by {jump}");
        _host.Wall.Offset += jump;
        _host.Promises.Jumped();
    }

    private async Task FillDiskAsync()
    {
        _host.Story.Tell("Disk", "is full");
        _host.Disk.IsFull = true;
        await Task.Delay(Seconds(1, 30), _host.Time);
        _host.Disk.IsFull = false;
    }

    private async Task FillProxyDiskAsync()
    {
        _host.Story.Tell("Proxy", "its disk is full");
        _host.Proxy.DiskIsFull = true;
        await Task.Delay(Seconds(1, 20), _host.Time);
        _host.Proxy.DiskIsFull = false;
    }

    private void PublishGarbage()
    {
        _host.Story.Tell("Store", "garbage");
        var garbage = _random.Next(3) switch
        {
            0 => "{ \"ContainerConfig\": { \"Image\": \"a\" }, \"Nonsense\": 1 }",
            1 => "{ \"ContainerConfig\": { \"Image\": \"a\" }, \"HostConfig\": { \"Privileged\": true } }",
            _ => "\u0000\u0001 garbage",
        };
        var key = _random.Next(2) == 0 ? "shop/current.json" : $"shop/container.{Any().Hash}.json";
        _host.Store[key] = Encoding.UTF8.GetBytes(garbage);
        if (key != "shop/current.json")
            _host.Thread.Start(_host.World, async () =>
            {
                await Task.Delay(Seconds(1, 10), _host.Time);
                foreach (var release in SimulatedRelease.All)
                    _host.Store[$"shop/container.{release.Hash}.json"] = release.Document;
            });
    }

    // Some callers wait for the end, some for a while, some not at all, and some hang up.
    private Task<ApiAnswer?> OrderAsync(string call, string hash) => AskAsync(
        call, _random.Next(4) switch { 0 => "?wait=false", 1 => "?timeout=5s", _ => "" }, hash, _random.Next(8) == 0 ? Seconds(0, 5) : Timeout.InfiniteTimeSpan);

    /// <summary>Calls the admin API: whoever stays on the line is answered, by a name.</summary>
    /// <returns>The answer; <see langword="null"/> where the Controller is down, or ended before it answered, or the caller hung up.</returns>
    private async Task<ApiAnswer?> AskAsync(string call, string query, string body, TimeSpan leavesAfter)
    {
        if (_host.Controller is not { Api: { } api, Life: { } life })
            return null;
        var what = $"{call}{query} {SimulatedRelease.All.FirstOrDefault(r => r.Hash == body)?.Name ?? body}";
        _host.Story.Tell("Api", what);
        var answer = new TaskCompletionSource<ApiAnswer>();
        using var left = new CancellationTokenSource(leavesAfter, _host.Time);
        _host.Thread.Start(life, async () => answer.SetResult(await api.PostAsync(call, query, body, left.Token)));
        await Task.WhenAny(answer.Task, Task.Delay(AnswerLimit, _host.Time));
        if (!answer.Task.IsCompleted && !life.IsOver)
            throw new PromiseBrokenException($"'{what}' wasn't answered within {AnswerLimit}.");
        if (!answer.Task.IsCompleted || left.IsCancellationRequested)
            return null;
        var given = await answer.Task;
        _host.Story.Tell("Api", $"{what}: {given.Status} {given.Body}");
        return given is { IsNamed: true } ? given : throw new PromiseBrokenException($"'{what}' was answered {given.Status} '{given.Body}'.");
    }

    private sealed record ActivityCount(int EngineCalls, int DiskWrites, int ProxyWrites, int Lines);
}
