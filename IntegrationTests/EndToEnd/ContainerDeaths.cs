using System.Collections.Concurrent;
using Wunderproxy.Controller.Containers;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>When the containers of an application ended, as the engine tells it; a failed one is removed before anybody could ask.</summary>
internal sealed class ContainerDeaths : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentStack<DateTimeOffset> _deaths = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _watch;

    private ContainerDeaths(LabHost lab, string application) => _watch = WatchAsync(lab, application);

    /// <summary>The latest death; the test fails where none was.</summary>
    public DateTimeOffset Latest => _deaths.TryPeek(out var death) ? death : throw new InvalidOperationException("No container of the application has ended.");

    public static async Task<ContainerDeaths> OfAsync(LabHost lab, string application)
    {
        var deaths = new ContainerDeaths(lab, application);
        await deaths._connected.Task;
        return deaths;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        _end.Dispose();
    }

    private async Task WatchAsync(LabHost lab, string application)
    {
        try
        {
            await foreach (var happened in LabEngine.Open(lab).WatchAsync(new Dictionary<string, string> { [ContainerLabels.Application] = application }, _end.Token))
            {
                _connected.TrySetResult();
                if (happened.Action == "die")
                    _deaths.Push(TimeProvider.System.GetUtcNow());
            }
        }
        catch (OperationCanceledException)
        {
            // The test has ended.
        }
    }
}
