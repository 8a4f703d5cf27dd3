namespace Wunderproxy.Proxy.Relaying;

/// <summary>The application closed or broke off the connection before the first byte of its answer: whether it has carried the request out is unknown.</summary>
internal sealed class NothingAnsweredException(Exception? cause) : IOException("The application closed the connection without an answer.", cause);

/// <summary>The application has refused to begin with the request, though it is there.</summary>
internal sealed class StreamRefusedException(Exception cause) : IOException("The application refused the request's stream.", cause);

/// <summary>The application takes no WebSockets over HTTP/2.</summary>
internal sealed class NoWebSocketsException(Exception cause) : IOException("The application takes no WebSockets over HTTP/2.", cause);

/// <summary>The application's answer can't be read, or could be read in two ways.</summary>
internal sealed class InvalidAnswerException(string reason) : IOException(reason);

/// <summary>The application's answer is larger than its configuration allows.</summary>
internal sealed class AnswerTooLargeException(long most) : IOException($"The application's answer is larger than the {most} bytes of Limits.MaxAnswerBody.");

/// <summary>The application's answer ended before its end.</summary>
internal sealed class AnswerCutShortException() : IOException("The application's answer was cut short.");

/// <summary>The application has answered with an error, in place of which another page is shown.</summary>
internal sealed class ReplacedAnswerException(int status) : IOException("The application's answer is replaced.")
{
    /// <summary>Status of its answer.</summary>
    public int Status => status;
}
