using Wunderproxy.Controller.Containers;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>People who visit the application through the Proxy all the time. None of their requests may fail because of the Controller.</summary>
internal sealed class Visitors(SimulatedHost host) : IClaimant
{
    private bool _wereServed;

    /// <summary>Requests that were answered by the application.</summary>
    public int Served { get; private set; }

    /// <summary>Requests that failed by a fault of the simulation.</summary>
    public int Excused { get; private set; }

    /// <summary>Requests that went to a release that stood by.</summary>
    public int Shown { get; private set; }

    // Every second one may see it.
    bool IClaimant.Visits(ServedStandby standby, Serving serving)
    {
        var visits = host.Random.Next(2) == 0;
        Shown += visits ? 1 : 0;
        return visits;
    }

    public async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50 + host.Random.Next(700)), host.Time);
            if (host.Proxy.IsUp)
                Visit();
        }
    }

    private void Visit()
    {
        if (!host.Proxy.Table.TryClaim(new RequestPlace("shop.example", "/"), this, out var serving, out var claim))
        {
            if (serving is not { Maintenance: not null } and not { IsPaused: true } && _wereServed)
                throw new PromiseBrokenException("The Proxy has no target any more.");
            return;
        }

        _wereServed |= serving!.Upstream is not null;
        var target = claim.Upstream.Target;
        var container = host.Engine.At(target.Address.Split(':')[0]);
        if (container is not null && container.Labels.GetValueOrDefault(ContainerLabels.Hash) != target.Release)
            throw new PromiseBrokenException($"A request for {target.Revision} reached {container.Name}, which has its former address.");
        if (container is { EndedBy: EndedBy.Call })
            throw new PromiseBrokenException($"A request reached {container.Name}, which is being stopped.");
        if (container is null || !container.IsHealthy(host.Time))
        {
            claim.Dispose();
            Excused++;
            host.Promises.RequireExcuse(target);
            return;
        }

        _ = StayAsync(claim, container, host.ProxyWay.Epoch);
    }

    private async Task StayAsync(Claim claim, SimulatedContainer container, int proxyLife)
    {
        var duration = host.Random.Next(20) == 0 ? host.Random.Next(9000) : host.Random.Next(400);
        var over = new TaskCompletionSource();
        using (claim)
        {
            await using var registration = claim.Cut.UnsafeRegister(_ => over.TrySetResult(), null);
            var answered = Task.Delay(TimeSpan.FromMilliseconds(duration), host.Time);
            _ = EndAsync(container, over);
            await Task.WhenAny(answered, over.Task);
            if (!answered.IsCompleted && !claim.Cut.IsCancellationRequested && proxyLife == host.ProxyWay.Epoch && container.EndedBy == EndedBy.Call)
                throw new PromiseBrokenException($"A request failed because {container.Name} was stopped.");
        }

        Served++;
    }

    private static async Task EndAsync(SimulatedContainer container, TaskCompletionSource over)
    {
        await container.Ended.Task;
        over.TrySetResult();
    }
}
