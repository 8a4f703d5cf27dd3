using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Control;

/// <summary>The calls on the control socket. Bodies and answers are those of <see cref="Contracts.Control"/>.</summary>
internal sealed class ControlApi(ApplicationRegistry registry, AcmeApi acme, HostService service, FormerTraffic former, Func<IReadOnlyList<ApplicationState>, ProxyStatus> status)
{
    /// <summary>Adds the calls to a server.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/status", GetStatusAsync);
        routes.MapPut("/host-drain", context => SetHostDrainAsync(context, isDrained: true));
        routes.MapDelete("/host-drain", context => SetHostDrainAsync(context, isDrained: false));
        routes.MapGet("/applications/{application}", GetApplicationAsync);
        routes.MapGet("/applications/{application}/traffic", GetTrafficAsync);
        routes.MapGet("/applications/{application}/totals", GetTotalsAsync);
        routes.MapPut("/applications/{application}", PutApplicationAsync);
        routes.MapPost("/applications/{application}/fence", PostFenceAsync);
        routes.MapPost("/applications/{application}/drain", PostDrainAsync);
        routes.MapDelete("/applications/{application}", DeleteApplicationAsync);
        routes.MapPut("/applications/{application}/acme", PutAcmeAsync);
        routes.MapDelete("/applications/{application}/acme", DeleteAcmeAsync);
        routes.MapPut("/applications/{application}/acme/certificates/{host}", PutCertificateAsync);
    }

    private async Task GetStatusAsync(HttpContext context)
    {
        var states = await registry.StatesAsync(context.RequestAborted);
        await AnswerAsync(context, StatusCodes.Status200OK, status(states), ContractsJson.Default.ProxyStatus);
    }

    private async Task SetHostDrainAsync(HttpContext context, bool isDrained)
    {
        try
        {
            service.Set(isDrained);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await AnswerAsync(context, ControlAnswer.Refuse(ControlProblem.NotPersisted, $"Whether the host is in service couldn't be written, so nothing changed: {e.Message}"));
            return;
        }

        await GetStatusAsync(context);
    }

    private async Task GetApplicationAsync(HttpContext context)
    {
        if (await registry.StateAsync(ApplicationOf(context), context.RequestAborted) is { } state)
        {
            await AnswerAsync(context, StatusCodes.Status200OK, state, ContractsJson.Default.ApplicationState);
        }
        else
        {
            await AnswerUnknownAsync(context);
        }
    }

    private async Task GetTrafficAsync(HttpContext context)
    {
        var since = context.Request.Query["since"].ToString();
        if (!long.TryParse(since.Length > 0 ? since : "0", NumberStyles.None, CultureInfo.InvariantCulture, out var second))
        {
            await AnswerAsync(context, ControlAnswer.Refuse(ControlProblem.InvalidBody, "The parameter 'since' is no Unix time in seconds."));
            return;
        }

        var step = second - (second % 10);
        if (await registry.RecentAsync(ApplicationOf(context), step, context.RequestAborted) is { } traffic)
        {
            await AnswerAsync(context, StatusCodes.Status200OK, traffic with { Former = former.Of(ApplicationOf(context), step) }, ContractsJson.Default.RecentTraffic);
        }
        else
        {
            await AnswerUnknownAsync(context);
        }
    }

    private async Task GetTotalsAsync(HttpContext context)
    {
        if (await registry.TotalsAsync(ApplicationOf(context), context.RequestAborted) is { } totals)
        {
            await AnswerAsync(context, StatusCodes.Status200OK, totals, ContractsJson.Default.TrafficTotals);
        }
        else
        {
            await AnswerUnknownAsync(context);
        }
    }

    private async Task PutApplicationAsync(HttpContext context)
    {
        if (await ReadAsync(context, ContractsJson.Default.ApplicationSnapshot) is not { } snapshot)
        {
            return;
        }

        await AnswerAsync(context, SnapshotRules.Mistakes(ApplicationOf(context), snapshot).ToList() is { Count: > 0 } mistakes
            ? ControlAnswer.Refuse(ControlProblem.InvalidBody, string.Join(' ', mistakes))
            : await registry.ApplyAsync(snapshot, context.RequestAborted));
    }

    private async Task PostFenceAsync(HttpContext context)
    {
        if (await ReadAsync(context, ContractsJson.Default.FenceRequest) is not { } request)
        {
            return;
        }

        var application = ApplicationOf(context);
        await AnswerAsync(context, SnapshotRules.Mistakes(application, request.Installation).ToList() is { Count: > 0 } mistakes
            ? ControlAnswer.Refuse(ControlProblem.InvalidBody, string.Join(' ', mistakes))
            : await registry.RaiseFenceAsync(application, request, context.RequestAborted));
    }

    private async Task PostDrainAsync(HttpContext context)
    {
        if (await ReadAsync(context, ContractsJson.Default.DrainRequest) is not { } request)
        {
            return;
        }

        var application = ApplicationOf(context);
        if (SnapshotRules.Mistakes(application, request).ToList() is { Count: > 0 } mistakes)
        {
            await AnswerAsync(context, ControlAnswer.Refuse(ControlProblem.InvalidBody, string.Join(' ', mistakes)));
        }
        else
        {
            await AnswerIfKnownAsync(context, await registry.LimitDrainAsync(application, request, context.RequestAborted));
        }
    }

    private async Task DeleteApplicationAsync(HttpContext context)
    {
        var installation = context.Request.Query["installation"].ToString();
        var answer = await registry.ForgetAsync(ApplicationOf(context), installation, context.RequestAborted);
        if (answer is ControlAnswer.Accepted)
        {
            acme.Forget(ApplicationOf(context));
        }

        await AnswerIfKnownAsync(context, answer);
    }

    private async Task PutAcmeAsync(HttpContext context)
    {
        if (await ReadAsync(context, ContractsJson.Default.AcmeSettings) is { } settings)
        {
            await AnswerAsync(context, await acme.SetAsync(ApplicationOf(context), settings, context.RequestAborted));
        }
    }

    private async Task DeleteAcmeAsync(HttpContext context) =>
        await AnswerAsync(context, await acme.RemoveAsync(ApplicationOf(context), context.Request.Query["installation"].ToString(), context.RequestAborted));

    private async Task PutCertificateAsync(HttpContext context)
    {
        if (await ReadAsync(context, ContractsJson.Default.IssuedCertificate) is { } issued)
        {
            await AnswerAsync(context, await acme.KeepAsync(ApplicationOf(context), (string)context.GetRouteValue("host")!, issued, context.RequestAborted));
        }
    }

    private static string ApplicationOf(HttpContext context) => (string)context.GetRouteValue("application")!;

    // Null: the body was refused, and that was answered.
    private static async Task<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        string mistake;
        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted) is { } body)
            {
                return body;
            }

            mistake = "The body is null.";
        }
        catch (JsonException e)
        {
            mistake = e.Path is { } path && !e.Message.Contains(path, StringComparison.Ordinal) ? $"{path}: {e.Message}" : e.Message;
        }
        catch (BadHttpRequestException e)
        {
            mistake = e.Message;
        }

        await AnswerAsync(context, ControlAnswer.Refuse(ControlProblem.InvalidBody, mistake));
        return null;
    }

    private static Task AnswerAsync(HttpContext context, ControlAnswer answer) => answer switch
    {
        ControlAnswer.Accepted accepted => AnswerAsync(context, StatusCodes.Status200OK, accepted.State, ContractsJson.Default.ApplicationState),
        ControlAnswer.Refused { Problem: var problem } => AnswerAsync(context, problem),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Task AnswerAsync(HttpContext context, AcmeAnswer answer) => answer switch
    {
        AcmeAnswer.Accepted accepted => AnswerAsync(context, StatusCodes.Status200OK, accepted.State, ContractsJson.Default.AcmeState),
        AcmeAnswer.Refused { Problem: var problem } => AnswerAsync(context, problem),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Task AnswerAsync(HttpContext context, ControlProblem problem) =>
        AnswerAsync(context, problem.Status, problem, ContractsJson.Default.ControlProblem, "application/problem+json");

    private static Task AnswerIfKnownAsync(HttpContext context, ControlAnswer? answer) =>
        answer is null ? AnswerUnknownAsync(context) : AnswerAsync(context, answer);

    private static Task AnswerUnknownAsync(HttpContext context) =>
        AnswerAsync(context, new ControlProblem { Type = ControlProblem.UnknownApplication, Title = "The application is not known", Status = StatusCodes.Status404NotFound });

    private static Task AnswerAsync<T>(HttpContext context, int status, T body, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(body, type, contentType, context.RequestAborted);
    }
}
