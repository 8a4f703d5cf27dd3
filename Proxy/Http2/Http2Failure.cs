using System.Net.Sockets;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Http2;

/// <summary>What a failure of the standard client means.</summary>
internal static class Http2Failure
{
    // Source: RFC 9113, section 7.
    private const long RefusedStream = 7;

    /// <summary>Says why there is no answer, or none that is whole.</summary>
    /// <param name="error">What the client says.</param>
    /// <param name="hasAnswer">Whether the answer's head has come.</param>
    /// <param name="isTaken">Whether something of the request's body was sent, at this try or a former one of the client's own.</param>
    /// <returns>
    /// A <see cref="SocketException"/> or a <see cref="StreamRefusedException"/>: the application has not begun with the request. A <see cref="NothingAnsweredException"/>: the
    /// connection ended, and whether it has begun is unknown.
    /// </returns>
    public static Exception Of(Exception error, bool hasAnswer, bool isTaken) => error switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError, InnerException: SocketException unreachable } when !isTaken => unreachable,
        HttpRequestException { InnerException: HttpProtocolException { ErrorCode: RefusedStream } } when !isTaken => new StreamRefusedException(error),
        HttpRequestException { HttpRequestError: HttpRequestError.ExtendedConnectNotSupported } => new NoWebSocketsException(error),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded } => new InvalidAnswerException(error.Message),
        HttpRequestException { InnerException: not HttpProtocolException and IOException } when !hasAnswer => new NothingAnsweredException(error),
        HttpRequestException => new IOException(error.GetBaseException().Message, error),
        _ => error,
    };
}
