using Microsoft.AspNetCore.Http;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Api;

/// <summary>Ends a call with a problem document.</summary>
internal sealed class ProblemException(ApiProblem problem) : Exception(problem.Detail)
{
    public ApiProblem Problem { get; } = problem;
}

/// <summary>The problems that the admin API answers with.</summary>
internal static class Problems
{
    public static ApiProblem BadRequest(string detail) => Of(StatusCodes.Status400BadRequest, "bad-request", "The request can't be read", detail);

    public static ApiProblem BodyTooLarge() => Of(
        StatusCodes.Status413PayloadTooLarge,
        "body-too-large",
        "The body is too large",
        $"The body has more than {OrderBody.CapBytes} bytes. Send only the hash of a published launch configuration; publish the configuration itself to the store first.");

    public static ApiProblem BodyTooSlow() => Of(
        StatusCodes.Status408RequestTimeout, "body-too-slow", "The body came too slowly", "The body didn't arrive in time, and nothing was changed. Send it again.");

    public static ApiProblem NoSuchCall(string path) => Of(
        StatusCodes.Status404NotFound,
        "no-such-call",
        "There is no such call",
        $"There is nothing at {path}. GET /openapi.json lists the calls, such as GET /status and POST /launch; GET / is the status page.");

    public static ApiProblem WrongMethod(string method, string path, string allowed) => Of(
        StatusCodes.Status405MethodNotAllowed, "wrong-method", "The method is not allowed here", $"{path} doesn't take {method}, and nothing was changed. Use {allowed}.");

    public static ApiProblem Forbidden(CallerCheck.Refused refused) => refused.Kind switch
    {
        CallerRefusal.Place => Of(StatusCodes.Status403Forbidden, "forbidden", "The call is not allowed from there", refused.Reason),
        CallerRefusal.Token => Of(StatusCodes.Status401Unauthorized, "token-needed", "The call needs the Controller's token", refused.Reason),
    };

    public static ApiProblem TooManyListeners(int limit) => Of(
        StatusCodes.Status503ServiceUnavailable, "too-many-listeners", "Too many listen to the events", $"{limit} listen to the events already. Come again later; GET /status tells the same at any time.");

    public static ApiProblem NotDrained(DrainOutcome.Refused refused)
    {
        var (status, type, title) = refused.Refusal switch
        {
            DrainRefusal.NotDraining => (StatusCodes.Status409Conflict, "not-draining", "No such release drains"),
            DrainRefusal.ProxyUnavailable => (StatusCodes.Status503ServiceUnavailable, "proxy-unavailable", "The Proxy isn't reached"),
        };
        return Of(status, type, title, refused.Message);
    }

    public static ApiProblem NoHistory(string message) => Of(StatusCodes.Status503ServiceUnavailable, "history-unavailable", "The history couldn't be read", message);

    public static ApiProblem UnknownDeployment() => Of(
        StatusCodes.Status404NotFound,
        "unknown-deployment",
        "There is no such deployment",
        "No deployment of that id is known; only the latest ones are kept. GET /status lists them.");

    public static ApiProblem TooManyWaiting(int limit) => Of(
        StatusCodes.Status503ServiceUnavailable,
        "too-many-waiting",
        "Too many calls are waiting",
        $"{limit} calls wait for the end of a deployment already, and this one changed nothing. Call again with ?wait=false, or later.");

    public static ApiProblem NoDecision(TimeSpan limit) => Of(
        StatusCodes.Status503ServiceUnavailable,
        "no-decision",
        "The order has no known end",
        $"The order wasn't confirmed within {limit.TotalSeconds} s; it may still be accepted. GET /status shows whether it was.");

    public static ApiProblem Starting() => Of(
        StatusCodes.Status503ServiceUnavailable, "starting", "The Controller is starting", "The Controller is looking at what runs here, and nothing was changed. Call again in a moment.");

    public static ApiProblem NotAlive() => Of(
        StatusCodes.Status503ServiceUnavailable,
        "not-alive",
        "The reconciler's loop stands still",
        "The reconciler has ended no pass for 30 s. What runs goes on. GET /status shows what it was working on; restart the Controller if it doesn't recover.");

    public static ApiProblem NotReady(StatusDocument status) => Of(
        StatusCodes.Status503ServiceUnavailable,
        "not-ready",
        "The host isn't ready",
        status.Proxy?.HostDrain is not null ? "The host is out of service, and serves whoever comes. POST /undrain-host brings it back."
            : status.MaintenanceMode ? "Maintenance is up: every request is answered with the maintenance page. POST /maintenance/down ends it."
            : status.Paused ? "Traffic is paused: requests wait. POST /resume lets them go on."
            : $"No healthy release of {status.Application} serves. {status.Plan.Reason} GET /status shows more.");

    public static ApiProblem Unexpected() => Of(
        StatusCodes.Status500InternalServerError,
        "unexpected",
        "The call failed unexpectedly",
        "An error in the Controller itself; its log has the details. What runs goes on. GET /status shows whether the order was accepted.");

    public static ApiProblem Refused(Admission.Refused refused)
    {
        var (status, type, title) = refused.Refusal switch
        {
            Refusal.UnknownHash => (StatusCodes.Status404NotFound, "unknown-hash", "No configuration of that hash is published"),
            Refusal.InvalidConfiguration => (StatusCodes.Status422UnprocessableEntity, "invalid-configuration", "The configuration can't be used"),
            Refusal.Conflict => (StatusCodes.Status409Conflict, "conflict", "The present state forbids it"),
            Refusal.StoreUnavailable => (StatusCodes.Status503ServiceUnavailable, "store-unavailable", "The store isn't reached"),
            Refusal.NotDurable => (StatusCodes.Status507InsufficientStorage, "not-durable", "The decision couldn't be written to disk"),
            Refusal.ProxyUnavailable => (StatusCodes.Status503ServiceUnavailable, "proxy-unavailable", "The Proxy isn't reached"),
        };
        return Of(status, type, title, refused.Message);
    }

    /// <summary>The problem of a deployment that ended otherwise than wanted. A failed one answers 500, as the Go tool did.</summary>
    public static ApiProblem Unsuccessful(DeploymentStatus deployment)
    {
        var (status, type, title) = deployment.End switch
        {
            DeploymentEnd.RolledBack => (StatusCodes.Status500InternalServerError, "release-rolled-back", "The release failed in probation"),
            DeploymentEnd.Superseded => (StatusCodes.Status409Conflict, "superseded", "A newer decision took its place"),
            DeploymentEnd.Cancelled => (StatusCodes.Status409Conflict, "cancelled", "The deployment was withdrawn"),
            _ => (StatusCodes.Status500InternalServerError, "release-failed", "The release failed"),
        };
        return Of(status, type, title, deployment.Failure?.Message ?? deployment.Message ?? title) with { Deployment = deployment };
    }

    private static ApiProblem Of(int status, string type, string title, string detail) => new() { Status = status, Type = type, Title = title, Detail = detail };
}
