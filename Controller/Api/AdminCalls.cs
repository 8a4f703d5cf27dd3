using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Api;

/// <summary>The calls of the admin API.</summary>
/// <param name="operations">Decides and knows.</param>
/// <param name="callers">Says who may change something.</param>
/// <param name="time">Clock of the deadlines.</param>
/// <param name="stopping">Ends waiting calls when the Controller stops; their deployments go on after its next start.</param>
internal sealed class AdminCalls(IOperations operations, CallerCheck callers, TimeProvider time, CancellationToken stopping)
{
    /// <summary>Calls that may wait at once.</summary>
    public const int MaxWaiting = 64;

    /// <summary>Methods of the calls that only ask.</summary>
    public static readonly string[] ReadMethods = [HttpMethods.Get, HttpMethods.Head];

    private const int ShownHashDigits = 8;
    private const int LongestId = 64;
    private static readonly TimeSpan DecisionLimit = TimeSpan.FromSeconds(30);

    // A deployment ends by its own deadline; this much later an answer is due even if it didn't.
    private static readonly TimeSpan Overtime = TimeSpan.FromSeconds(30);

    private int _waiting;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/status", ReadMethods, Status);
        routes.MapMethods("/healthz", ReadMethods, Health);
        routes.MapMethods("/readyz", ReadMethods, Readiness);
        routes.MapMethods("/deployments/{id}", ReadMethods, DeploymentAsync);
        routes.MapPost("/launch", callers.Guarding(context => OrderAsync(context, operations.LaunchAsync)));
        routes.MapPost("/switch", callers.Guarding(context => OrderAsync(context, operations.SwitchAsync)));
        routes.MapPost("/retry", callers.Guarding(context => OrderAsync(context, WaitQuery.Read(context.Request.Query), null, operations.RetryAsync)));
        routes.MapPost("/abort", callers.Guarding(AbortAsync));
        routes.MapPost("/canary", callers.Guarding(CanaryAsync));
        routes.MapPost("/maintenance/up", callers.Guarding(context => MaintenanceAsync(context, up: true)));
        routes.MapPost("/maintenance/down", callers.Guarding(context => MaintenanceAsync(context, up: false)));
        routes.MapPost("/pause", callers.Guarding(context => PauseAsync(context, isPaused: true)));
        routes.MapPost("/resume", callers.Guarding(context => PauseAsync(context, isPaused: false)));
        routes.MapPost("/drain-host", callers.Guarding(context => DrainHostAsync(context, isDrained: true)));
        routes.MapPost("/undrain-host", callers.Guarding(context => DrainHostAsync(context, isDrained: false)));
    }

    private Task Status(HttpContext context) => Answer.WriteJsonAsync(context, StatusCodes.Status200OK, operations.Status, Answer.Readable.StatusDocument);

    private Task Health(HttpContext context) => operations.IsAlive
        ? Answer.WriteTextAsync(context, StatusCodes.Status200OK, "alive")
        : throw new ProblemException(Problems.NotAlive());

    private Task Readiness(HttpContext context)
    {
        var status = operations.Status;
        var serves = status.Releases.Any(release => release.Hash == status.Active && release.Phase is ReleasePhase.Active or ReleasePhase.Probation);
        return serves && status is { MaintenanceMode: false, Paused: false, Proxy: not { HostDrain: not null } }
            ? Answer.WriteTextAsync(context, StatusCodes.Status200OK, "ready")
            : throw new ProblemException(Problems.NotReady(status));
    }

    private async Task DeploymentAsync(HttpContext context)
    {
        var id = (string)context.GetRouteValue("id")!;
        var deployment = id.Length > LongestId ? null : await operations.WaitForEndAsync(id, new CancellationToken(canceled: true));
        await Answer.WriteJsonAsync(
            context, StatusCodes.Status200OK, deployment ?? throw new ProblemException(Problems.UnknownDeployment()), Answer.Readable.DeploymentStatus);
    }

    private async Task MaintenanceAsync(HttpContext context, bool up)
    {
        await AdmittedAsync(cancellationToken => operations.SetMaintenanceAsync(up, cancellationToken));
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new MaintenanceStatus(up), Answer.Readable.MaintenanceStatus);
    }

    private async Task PauseAsync(HttpContext context, bool isPaused)
    {
        await AdmittedAsync(cancellationToken => operations.SetPausedAsync(isPaused, cancellationToken));
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new PauseStatus(isPaused), Answer.Readable.PauseStatus);
    }

    private async Task DrainHostAsync(HttpContext context, bool isDrained)
    {
        await AdmittedAsync(cancellationToken => operations.SetHostDrainAsync(isDrained, cancellationToken));
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new HostDrainStatus(isDrained), Answer.Readable.HostDrainStatus);
    }

    private async Task AbortAsync(HttpContext context)
    {
        var running = operations.Status.Deployments.Where(deployment => deployment.End is null).Select(deployment => deployment.Id).ToHashSet(StringComparer.Ordinal);
        await AdmittedAsync(operations.AbortAsync);
        var withdrawn = operations.Status.Deployments.Where(deployment => running.Contains(deployment.Id) && deployment.End == DeploymentEnd.Cancelled);
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new AbortStatus([.. withdrawn]), Answer.Readable.AbortStatus);
    }

    private async Task CanaryAsync(HttpContext context)
    {
        var percent = await CanaryBody.ReadPercentAsync(context.Request, context.RequestAborted);
        await AdmittedAsync(cancellationToken => operations.SetCanaryAsync(percent, cancellationToken));
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, operations.Status.Canary ?? new CanaryStatus("", 0), Answer.Readable.CanaryStatus);
    }

    private async Task OrderAsync(HttpContext context, Func<string, CancellationToken, Task<Admission>> order)
    {
        var query = WaitQuery.Read(context.Request.Query);
        var hash = await OrderBody.ReadHashAsync(context.Request, context.RequestAborted);
        await OrderAsync(context, query, hash, cancellationToken => order(hash, cancellationToken));
    }

    private async Task OrderAsync(HttpContext context, WaitQuery query, string? hash, Func<CancellationToken, Task<Admission>> order)
    {
        if (!query.Waits)
        {
            await WriteAsync(context, hash, await OrderedAsync(order));
            return;
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) > MaxWaiting)
            {
                throw new ProblemException(Problems.TooManyWaiting(MaxWaiting));
            }

            await WriteAsync(context, hash, await EndOfAsync(await OrderedAsync(order), query.Limit, context.RequestAborted));
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private async Task<DeploymentStatus> OrderedAsync(Func<CancellationToken, Task<Admission>> order) =>
        (await AdmittedAsync(order)).Deployment
        ?? throw new InvalidOperationException("An accepted launch or switch has a deployment.");

    // Not bound to the caller's connection: an order is taken or refused, also when its caller has left.
    private async Task<Admission.Accepted> AdmittedAsync(Func<CancellationToken, Task<Admission>> order)
    {
        using var deadline = new CancellationTokenSource(DecisionLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stopping);
        try
        {
            return await order(either.Token) switch
            {
                Admission.Accepted accepted => accepted,
                Admission.Refused refused => throw new ProblemException(Problems.Refused(refused)),
                var other => throw new InvalidOperationException($"There is no admission {other}."),
            };
        }
        catch (OperationCanceledException)
        {
            throw new ProblemException(Problems.NoDecision(DecisionLimit));
        }
    }

    private async Task<DeploymentStatus> EndOfAsync(DeploymentStatus deployment, TimeSpan? limit, CancellationToken left)
    {
        var untilDeadline = deployment.Deadline + Overtime - time.GetUtcNow();
        var longest = limit < untilDeadline ? limit.Value : untilDeadline;
        using var deadline = new CancellationTokenSource(longest > TimeSpan.Zero ? longest : TimeSpan.Zero, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, left, stopping);
        return await operations.WaitForEndAsync(deployment.Id, any.Token) ?? deployment;
    }

    private static Task WriteAsync(HttpContext context, string? asked, DeploymentStatus deployment)
    {
        if (deployment.End is not (null or DeploymentEnd.Succeeded))
        {
            throw new ProblemException(Problems.Unsuccessful(deployment));
        }

        var status = deployment.End is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK;
        context.Response.Headers.Location = $"/deployments/{deployment.Id}";
        return Answer.PrefersJson(context.Request)
            ? Answer.WriteJsonAsync(context, status, deployment, Answer.Readable.DeploymentStatus)
            : Answer.WriteTextAsync(context, status, TextOf(asked ?? deployment.Hash, deployment));
    }

    // The sentences of an ended launch and switch are those of the Go tool; scripts look for them, and for the hash that they sent, be it MD5.
    private static string TextOf(string asked, DeploymentStatus deployment)
    {
        var container = Short(deployment.ContainerId);
        var port = deployment.Port?.ToString(CultureInfo.InvariantCulture) ?? "?";
        return deployment switch
        {
            { End: null } => $"accepted as deployment {deployment.Id} of {Short(asked)}; GET /deployments/{deployment.Id} tells how it goes",
            { Kind: DeploymentKind.Launch } => $"started container {container} with revision {Short(asked)} listening on port {port}",
            _ => $"switched proxy to port {port} of container {container}",
        };
    }

    private static string Short(string? id) => id is null ? "?" : id[..Math.Min(id.Length, ShownHashDigits)];
}
