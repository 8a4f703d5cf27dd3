namespace Wunderproxy.Controller.Acme;

/// <summary>An ACME server didn't do what it was asked for.</summary>
/// <param name="message">What was asked, and what it said.</param>
/// <param name="inner">What is behind it.</param>
internal sealed class AcmeException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The server's error; absent: it wasn't reached, or its answer is none that can be read.</summary>
    public AcmeProblem? Problem { get; init; }

    /// <summary>HTTP status of the server's answer; absent: there was none, or it couldn't be read.</summary>
    public int? Status { get; init; }

    /// <summary>For how long it wants to be left alone; absent: it doesn't say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the order that it is about has come to nothing.</summary>
    public bool EndsOrder { get; init; }

    /// <summary>Whether it has enough of us: a limit of theirs is reached (RFC 8555, section 6.6), or it is overloaded.</summary>
    public bool IsLimit { get; init; }

    /// <summary>Whether it is one of those errors.</summary>
    /// <param name="kinds">Such as <c>badNonce</c>.</param>
    public bool Is(params ReadOnlySpan<string> kinds) => Problem is { } problem && kinds.Contains(problem.Kind);
}
