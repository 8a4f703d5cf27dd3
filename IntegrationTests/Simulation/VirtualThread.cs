namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>
/// The only thread of a simulation. Whatever is ready to go on waits here and is taken in random order; where nothing is ready, time passes to the next timer.
/// The same random numbers give the same run, instruction by instruction.
/// </summary>
internal sealed class VirtualThread(Random random)
{
    private const int MostStepsAtOnce = 20_000;

    private readonly List<(Life Life, SendOrPostCallback Callback, object? State)> _ready = [];
    private readonly PriorityQueue<VirtualTimer, (long Due, long Number)> _timers = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _numbers;
    private int _stepsNow;
    private Exception? _failure;

    /// <summary>Ticks since the beginning; never goes back.</summary>
    public long Now { get; private set; }

    /// <summary>Pieces of code that ran.</summary>
    public long Steps { get; private set; }

    /// <summary>Has something run later, in its turn.</summary>
    public void Post(Life life, SendOrPostCallback callback, object? state)
    {
        if (Environment.CurrentManagedThreadId != _thread)
            _failure ??= new InvalidOperationException($"Something of {life.Name} left the thread, so this run can't be repeated:\n{Environment.StackTrace}");
        if (!life.IsOver)
            _ready.Add((life, callback, state));
    }

    /// <summary>Starts something in a life; where it fails, the run fails.</summary>
    public void Start(Life life, Func<Task> act) => Post(life, _ => _ = WatchAsync(life, act), null);

    /// <summary>Runs until the given time.</summary>
    public void RunUntil(long end, Func<bool>? isEnough = null)
    {
        while (isEnough is null || !isEnough())
        {
            if (_ready.Count > 0)
                RunOne();
            else if (_timers.TryPeek(out _, out var next) && next.Due <= end)
                Fire(next.Due);
            else
                break;
            if (_failure is { } failure)
                throw new InvalidOperationException("The simulated program failed.", failure);
        }

        if (isEnough is null)
            Now = Math.Max(Now, end);
    }

    public void Fail(Exception failure) => _failure ??= failure;

    public void Schedule(VirtualTimer timer, long due) => _timers.Enqueue(timer, (due, ++_numbers));

    private void RunOne()
    {
        var index = random.Next(_ready.Count);
        var (life, callback, state) = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        if (life.IsOver || !life.TakesStep())
            return;
        Steps++;
        if (++_stepsNow > MostStepsAtOnce)
            throw new PromiseBrokenException($"Something goes round and round without a pause, in {life.Name}.");
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(life);
        try
        {
            callback(state);
        }
        catch (Exception exception) when (!life.IsOver)
        {
            _failure ??= exception;
        }
        catch (Exception)
        {
            // It was torn out of the middle of its work.
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private void Fire(long due)
    {
        if (due > Now)
            (Now, _stepsNow) = (due, 0);
        while (_timers.TryPeek(out var timer, out var next) && next.Due <= Now)
        {
            _timers.Dequeue();
            timer.Fire(next.Due);
        }
    }

    private async Task WatchAsync(Life life, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception exception) when (!life.IsOver)
        {
            _failure ??= exception;
        }
        catch (Exception)
        {
            // It was torn out of the middle of its work.
        }
    }
}
