using System.Globalization;
using System.Net;
using Amazon.Runtime;

namespace Wunderproxy.Controller.Store;

/// <summary>Says what a failed call to S3 means: what failed, on what, why, what still holds, what to do.</summary>
/// <param name="place">The endpoint, for people.</param>
internal sealed class S3Faults(string place)
{
    private const int ReasonLength = 300;

    public StoreException TooLarge(string bucket, string key, long maxBytes) => Fault(
        S3Call.Read(bucket, key), StoreFault.TooLarge, $"it is larger than {maxBytes} bytes", "Write a smaller one.");

    public StoreException NoAnswer(S3Call call, TimeSpan limit, Exception failure) => Fault(
        call,
        call.Changes ? StoreFault.Ambiguous : StoreFault.Unavailable,
        string.Create(CultureInfo.InvariantCulture, $"there was no whole answer within {limit.TotalSeconds} s"),
        "Check the server and the network to it.",
        failure);

    public StoreException Of(S3Call call, Exception failure) => failure switch
    {
        AmazonServiceException { StatusCode: > 0 } answer => OfAnswer(call, answer),
        _ when Find<HttpRequestException>(failure) is { } request => OfRequest(call, request, failure),
        _ when Find<IOException>(failure) is { } broken => Fault(
            call,
            call.Changes ? StoreFault.Ambiguous : StoreFault.Unavailable,
            $"the answer broke off or was altered: {broken.Message}",
            "Check the server and the network to it.",
            failure),
        ArgumentException => Fault(
            call,
            call.Changes ? StoreFault.Ambiguous : StoreFault.Unavailable,
            $"its answer couldn't be understood: {failure.Message}",
            "Is this the endpoint of an S3 server?",
            failure),
        _ => Fault(
            call,
            StoreFault.AccessDenied,
            $"no credentials could be used: {failure.Message}",
            "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role of the instance.",
            failure),
    };

    private StoreException OfRequest(S3Call call, HttpRequestException request, Exception failure)
    {
        var neverSent = request.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError;
        return Fault(
            call,
            call.Changes && !neverSent ? StoreFault.Ambiguous : StoreFault.Unavailable,
            $"{(neverSent ? "it wasn't reached" : "there was no usable answer")}: {(request.InnerException ?? request).Message}",
            "Check endpoint, server and network.",
            failure);
    }

    private StoreException OfAnswer(S3Call call, AmazonServiceException answer)
    {
        var (fault, advice) = Judge(call, answer.ErrorCode ?? "", answer.StatusCode);
        var reason = $"it answered {(int)answer.StatusCode} {answer.ErrorCode}: '{answer.Message}'";
        return Fault(call, fault, reason[..Math.Min(reason.Length, ReasonLength)], advice, answer);
    }

    private static (StoreFault Fault, string Advice) Judge(S3Call call, string code, HttpStatusCode status) => (code, (int)status) switch
    {
        ("NoSuchBucket", _) => (StoreFault.NotFound, "Create the bucket or correct its name."),
        ("NoSuchKey", _) => (StoreFault.NotFound, "Put the object there or correct its key."),
        ("PermanentRedirect" or "AuthorizationHeaderMalformed", _) or (_, 301 or 307) =>
            (StoreFault.NotFound, "The bucket is in another region: set AWS_REGION to it."),
        ("RequestTimeTooSkewed" or "RequestExpired", _) =>
            (StoreFault.ClockSkew, "The clock of this host differs too much from the server's: synchronise it."),
        ("InvalidAccessKeyId" or "SignatureDoesNotMatch", _) => (StoreFault.AccessDenied, "Correct access key and secret key."),
        ("ExpiredToken" or "InvalidToken" or "TokenRefreshRequired", _) => (StoreFault.AccessDenied, "Renew the session token."),
        ("QuotaExceeded", _) => (StoreFault.NotWritable, "Raise the quota or delete what isn't needed."),
        (_, 401 or 403) => (StoreFault.AccessDenied, $"Give these credentials the right to {call.Verb.ToLowerInvariant()} there."),
        (_, 404 or 405) => (StoreFault.NotFound, "Is this the endpoint of an S3 server?"),
        ("SlowDown" or "ServiceUnavailable" or "TooManyRequests", _) or (_, 429) => (StoreFault.Unavailable, "The server is overloaded: trying again later is safe."),
        (_, 408 or >= 500) => (call.Changes ? StoreFault.Ambiguous : StoreFault.Unavailable, "Trying again later may help; if it persists, see the server's log."),
        _ => (StoreFault.Unavailable, "See the server's log."),
    };

    private StoreException Fault(S3Call call, StoreFault fault, string reason, string advice, Exception? inner = null)
    {
        var holds = (call.Changes, fault) switch
        {
            (true, StoreFault.Ambiguous) => "It may have happened, or may still: read again and compare.",
            (true, _) => "Nothing was changed.",
            _ => "What was read before still holds.",
        };
        return new StoreException(fault, $"{call.Verb} of s3://{call.Bucket}/{call.Key} at {place} failed: {reason.TrimEnd('.')}. {holds} {advice}", inner);
    }

    private static T? Find<T>(Exception failure)
        where T : Exception
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is T found)
            {
                return found;
            }
        }

        return null;
    }
}
