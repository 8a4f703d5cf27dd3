using System.Globalization;

namespace Wunderproxy.SampleApplication;

/// <summary>What the health check answers; can be changed while the application runs.</summary>
internal sealed class Health(Settings settings, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();
    private volatile string _state = settings.Health;
    private long _delayTicks = settings.HealthDelay.Ticks;

    public void Become(string state, TimeSpan delay)
    {
        _state = state;
        Interlocked.Exchange(ref _delayTicks, delay.Ticks);
    }

    public async Task AnswerAsync(HttpContext context)
    {
        var cancellationToken = context.RequestAborted;
        await Task.Delay(new TimeSpan(Interlocked.Read(ref _delayTicks)), time, cancellationToken);
        if (_state == "hang")
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);

        var status = Status();
        context.Response.StatusCode = status;
        if (status is >= 300 and < 400)
            context.Response.Headers.Location = "/";
        await context.Response.WriteAsync(status == StatusCodes.Status200OK ? "ok" : "unhealthy", cancellationToken);
    }

    private int Status()
    {
        if (time.GetElapsedTime(_started) < settings.HealthyAfter)
            return StatusCodes.Status503ServiceUnavailable;
        return _state == "ok" ? StatusCodes.Status200OK : int.Parse(_state, CultureInfo.InvariantCulture);
    }
}
