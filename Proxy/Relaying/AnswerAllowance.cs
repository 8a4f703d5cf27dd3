using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Relaying;

/// <summary>How much of an answer may still come: its application's <c>Limits.MaxAnswerBody</c>.</summary>
internal struct AnswerAllowance
{
    private long? _most;
    private long _passed;

    /// <summary>Begins with an answer whose head is known.</summary>
    /// <param name="claim">The hold on its target.</param>
    /// <param name="length">Bytes of its body; absent: that is seen as it comes.</param>
    /// <exception cref="AnswerTooLargeException">It is larger than it may be.</exception>
    public void Begin(Claim claim, long? length)
    {
        _most = claim.IsStream ? null : claim.Upstream.Limits.MaxAnswerBody;
        _passed = 0;
        if (length is { } bytes)
        {
            Take(bytes);
            _most = null;
        }
    }

    /// <summary>Counts what has come.</summary>
    /// <exception cref="AnswerTooLargeException">It is too much.</exception>
    public void Take(long bytes)
    {
        _passed += bytes;
        if (_passed > _most)
        {
            throw new AnswerTooLargeException(_most.Value);
        }
    }
}
