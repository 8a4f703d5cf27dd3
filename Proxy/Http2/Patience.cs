using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Http2;

/// <summary>How long the application may take with one request: until the head of its answer once the request was sent, and while nothing moves. Of HTTP/1.1 the connection pool looks after that.</summary>
/// <param name="limits">What applies to the request.</param>
/// <param name="mayWaitLong">Whether its answer may be as long in coming as it likes.</param>
/// <param name="time">The clock.</param>
internal sealed class Patience(Limits limits, bool mayWaitLong, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _over = new(limits.IdleTimeout, time);
    private bool _isAwaited;
    private bool _isAnswered;

    /// <summary>Cancelled when the application has taken too long.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Whether it has.</summary>
    public bool IsOver => _over.IsCancellationRequested;

    /// <summary>Notes that something has moved.</summary>
    public void Moved()
    {
        lock (_lock)
        {
            if (!_isAwaited)
            {
                _over.CancelAfter(limits.IdleTimeout);
            }
        }
    }

    /// <summary>Notes that the whole request was sent.</summary>
    public void Sent()
    {
        lock (_lock)
        {
            if (!_isAnswered && !mayWaitLong)
            {
                _isAwaited = true;
                _over.CancelAfter(limits.AnswerTimeout);
            }
        }
    }

    /// <summary>Notes that the head of the answer is there.</summary>
    public void Answered()
    {
        lock (_lock)
        {
            _isAnswered = true;
            _isAwaited = false;
            _over.CancelAfter(limits.IdleTimeout);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _over.Dispose();
}
