using Wunderproxy.IntegrationTests.EndToEnd;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>What befalls a host while it deploys, and none of which may fail a request.</summary>
internal enum Disturbance
{
    None,
    RegistryOutage,
    S3Outage,
    S3Fault,
    EngineHang,
    ControllerCrash,
}

/// <summary>Makes the disturbances come and go.</summary>
internal sealed class Disturbances(LabHost lab, SoakLog log)
{
    private const int MostAttempts = 5;

    private static readonly S3Fault[] Faults = [S3Fault.Hang, S3Fault.Stall, S3Fault.Slow, S3Fault.Suspend, S3Fault.SlowDown];

    /// <summary>Held while the registry is away, and while somebody pushes to it.</summary>
    public SemaphoreSlim Registry { get; } = new(1);

    /// <summary>Ends when the disturbance is over.</summary>
    public Task PlayAsync(Disturbance disturbance, Shop shop, SocketRelay relay, Func<Task> restartController, Random random)
    {
        var (moment, length) = (random.NextDouble() * TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1) + random.NextDouble() * TimeSpan.FromSeconds(5));
        var fault = Faults[random.Next(Faults.Length)];
        if (disturbance != Disturbance.None)
            log.Write($"{shop.Application}: {disturbance}{(disturbance == Disturbance.S3Fault ? $" {fault}" : "")} in {moment.TotalSeconds:0.0} s for {length.TotalSeconds:0.0} s");
        return disturbance switch
        {
            Disturbance.RegistryOutage => AloneAsync(() => LastAsync(moment, length, lab.StopRegistryAsync, lab.StartRegistryAsync)),
            Disturbance.S3Outage => LastAsync(moment, length, lab.StopS3Async, lab.StartS3Async),
            Disturbance.S3Fault => LastAsync(moment, length, () => lab.S3FaultAsync(fault), () => lab.EndS3FaultAsync(fault)),
            Disturbance.EngineHang => LastAsync(moment, length, () => Done(relay.Hang), () => Done(relay.GoOn)),
            Disturbance.ControllerCrash => LastAsync(moment, length / 4, shop.KillControllerAsync, restartController),
            _ => Task.CompletedTask,
        };
    }

    private async Task AloneAsync(Func<Task> play)
    {
        await Registry.WaitAsync();
        try
        {
            await play();
        }
        finally
        {
            Registry.Release();
        }
    }

    private async Task LastAsync(TimeSpan moment, TimeSpan length, Func<Task> begin, Func<Task> end)
    {
        await Eventually.PassAsync(moment);
        try
        {
            if (await SucceedsAsync(begin))
                await Eventually.PassAsync(length);
        }
        finally
        {
            for (var attempt = 1; attempt < MostAttempts && !await SucceedsAsync(end); attempt++)
                log.Write($"what was broken could not be mended, attempt {attempt}");
        }
    }

    // The tools of the lab have deadlines of their own, which a machine that is busy with something else may let pass: that is no fault of what is soaked.
    private async Task<bool> SucceedsAsync(Func<Task> act)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            log.Write($"the lab did not do as told: {exception.Message}");
            return false;
        }
    }

    private static Task Done(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
