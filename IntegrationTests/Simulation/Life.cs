namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>One life of a process on the <see cref="VirtualThread"/>. Once it is over, nothing of it ever goes on: no continuation, no timer, no finally.</summary>
internal sealed class Life(VirtualThread thread, string name) : SynchronizationContext
{
    private int? _stepsLeft;
    private Action? _end;

    public string Name { get; } = name;

    public bool IsOver { get; private set; }

    public void End() => IsOver = true;

    /// <summary>Has something happen instead of the given step from now on, whichever that is: it ends this life, as a rule.</summary>
    public void EndAtStep(int steps, Action end) => (_stepsLeft, _end) = (steps, end);

    /// <summary>Counts a step.</summary>
    /// <returns>Whether it may be taken.</returns>
    public bool TakesStep()
    {
        if (_stepsLeft is { } left && (_stepsLeft = left - 1) <= 0)
        {
            _stepsLeft = null;
            _end!();
        }

        return !IsOver;
    }

    public override void Post(SendOrPostCallback d, object? state) => thread.Post(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits for another on the only thread.");

    public override SynchronizationContext CreateCopy() => this;
}
