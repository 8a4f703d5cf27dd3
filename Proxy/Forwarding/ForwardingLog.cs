using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>Says that requests failed, at most once in 10 s: a target that is down fails thousands.</summary>
internal sealed partial class ForwardingLog(ILogger<ForwardingLog> logger, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private long _next = long.MinValue;
    private long _unsaid;

    /// <summary>Notes that a request could not be forwarded, or its answer not be passed on whole.</summary>
    public void Failed(Target target, Problem problem, Exception? exception)
    {
        var now = time.GetTimestamp();
        var next = Volatile.Read(ref _next);
        if (now < next || Interlocked.CompareExchange(ref _next, now + (long)(Pause.TotalSeconds * time.TimestampFrequency), next) != next)
        {
            Interlocked.Increment(ref _unsaid);
            return;
        }

        RequestFailed(target.Revision, target.Address, problem.Status, exception?.GetBaseException().Message, Interlocked.Exchange(ref _unsaid, 0));
    }

    [LoggerMessage(420, LogLevel.Warning, "A request to release {Revision} at {Address} failed with {Status}: {Reason}; {Unsaid} more since the last such message")]
    private partial void RequestFailed(string revision, string address, int status, string? reason, long unsaid);
}
