using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>An answer of the Proxy itself instead of the application's.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">What happened, in few words.</param>
/// <param name="Detail">What a visitor can know about it: never an address or another inner fact.</param>
internal sealed record Problem(int Status, string Title, string Detail)
{
    /// <summary>Seconds after which trying again makes sense; absent: unknown.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Where the client is sent to; absent: nowhere.</summary>
    public string? Location { get; init; }

    /// <summary>Whether the client's connection can't be used any further.</summary>
    public bool ClosesConnection { get; init; }

    /// <summary>Whether the application itself has answered so, and its page is replaced by another one.</summary>
    public bool IsTheApplications { get; init; }

    /// <summary>There is no release to answer.</summary>
    public static Problem NoTarget { get; } =
        new(503, "Service unavailable", "There is no active release yet. Please try again.") { RetryAfterSeconds = 1 };

    /// <summary>No application claims the request's host and path.</summary>
    public static Problem NoApplication { get; } = new(404, "Not found", "No application is served under this host and path.");

    /// <summary>The host is out of service, which whoever asks for an application's health is told.</summary>
    public static Problem OutOfService { get; } = new(503, "Out of service", "This host is taken out of service. Please send requests to another one.");

    /// <summary>The operator has put maintenance up.</summary>
    public static Problem Maintenance { get; } =
        new(503, "Maintenance", "This site is being maintained. Please try again later.") { RetryAfterSeconds = 10 };

    /// <summary>Traffic is paused, and the request has waited for as long as it may.</summary>
    public static Problem Paused { get; } =
        new(503, "Service unavailable", "This site is paused for a moment. Please try again.") { RetryAfterSeconds = 5 };

    /// <summary>The application is away, and as many requests as may wait for it do.</summary>
    public static Problem TooManyWaiting { get; } =
        new(503, "Service unavailable", "The application is being started again. Please try again.") { RetryAfterSeconds = 1 };

    /// <summary>As many requests run as the application takes, and as many wait as may, or this one has waited for as long as it may.</summary>
    public static Problem Busy { get; } =
        new(503, "Service unavailable", "Too many requests are being answered. Please try again.") { RetryAfterSeconds = 5 };

    /// <summary>As many requests run as the Proxy has descriptors for.</summary>
    public static Problem TooManyStreams { get; } =
        new(503, "Service unavailable", "Too many requests are running. Please try again.") { RetryAfterSeconds = 1 };

    /// <summary>The application couldn't be reached, or broke the connection off.</summary>
    public static Problem Unreachable { get; } = new(502, "Bad gateway", "The application could not be reached.");

    /// <summary>The application's answer can be read in two ways, or is none.</summary>
    public static Problem InvalidAnswer { get; } = new(502, "Bad gateway", "The application's answer was not valid HTTP.");

    /// <summary>The application's answer is longer than its configuration allows.</summary>
    public static Problem AnswerTooLarge { get; } = new(502, "Bad gateway", "The application's answer was larger than is passed on.");

    /// <summary>The request's body is longer than the application takes.</summary>
    public static Problem TooLarge { get; } = Refused(413, "The request's body is larger than is taken here.");

    /// <summary>The application was silent for too long.</summary>
    public static Problem TimedOut { get; } = new(504, "Gateway timeout", "The application did not answer in time.");

    /// <summary>The release was replaced, and the time to finish its requests is over.</summary>
    public static Problem DrainOver { get; } =
        new(504, "Gateway timeout", "The release that worked on the request was replaced before it answered.");

    /// <summary>What is asked for is at another address, for good.</summary>
    /// <param name="location">The whole address.</param>
    /// <param name="keepsMethod">Whether the client has to send the same request again; else GET or HEAD, which it was.</param>
    public static Problem MovedTo(string location, bool keepsMethod) =>
        new(keepsMethod ? 308 : 301, keepsMethod ? "Permanent redirect" : "Moved permanently", $"This is at {location}") { Location = location };

    /// <summary>The application takes clients only that show a certificate.</summary>
    public static Problem NoClientCertificate { get; } = new(403, "Forbidden", "This site is for clients only that show a certificate.");

    /// <summary>The same, where the client wasn't asked when its connection was made, for another host perhaps. Source: RFC 9110, section 15.5.20.</summary>
    public static Problem NotAskedForCertificate { get; } =
        new(421, "Misdirected request", "This site asks for a certificate, and this connection was made without. Please connect anew.") { ClosesConnection = true };

    /// <summary>The application speaks HTTP/2, and takes no WebSockets over it.</summary>
    public static Problem NoWebSockets { get; } = new(501, "Not implemented", "This application is reached by HTTP/2, over which it takes no WebSockets.");

    /// <summary>The client's body is none, or came too slowly.</summary>
    public static Problem Unreadable(Exception failure) =>
        Refused(failure is BadHttpRequestException refused ? refused.StatusCode : 400, "The request's body could not be read.");

    /// <summary>The request itself was refused.</summary>
    public static Problem Refused(int status, string detail) => new(status, status switch
    {
        405 => "Method not allowed",
        408 => "Request timeout",
        413 => "Content too large",
        501 => "Not implemented",
        _ => "Bad request",
    }, detail)
    { ClosesConnection = true };

    /// <summary>The application has answered with an error.</summary>
    public static Problem Answered(int status) =>
        new(status, ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } reason ? reason : "Error", "The application answered with an error.") { IsTheApplications = true };
}
