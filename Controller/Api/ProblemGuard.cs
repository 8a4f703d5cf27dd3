using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Wunderproxy.Controller.Api;

/// <summary>Around every call: headers that each answer has, and a problem document for whatever goes wrong, unknown paths and methods included.</summary>
internal sealed partial class ProblemGuard(RequestDelegate next, ILogger logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await AnswerAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller left; nobody reads an answer, be it a problem.
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        try
        {
            await next(context);
            await FillEmptyErrorAsync(context);
        }
        catch (ProblemException e) when (!context.Response.HasStarted)
        {
            await ProblemAnswer.WriteAsync(context, e.Problem);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await ProblemAnswer.WriteAsync(context, OfBadRequest(e));
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            CallFailed(e, context.Request.Method, context.Request.Path);
            await ProblemAnswer.WriteAsync(context, Problems.Unexpected());
        }
    }

    private static Contracts.Admin.ApiProblem OfBadRequest(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => Problems.BodyTooLarge(),
        StatusCodes.Status408RequestTimeout => Problems.BodyTooSlow(),
        _ => Problems.BadRequest(e.Message),
    };

    private static Task FillEmptyErrorAsync(HttpContext context) => context.Response switch
    {
        { HasStarted: true } => Task.CompletedTask,
        { StatusCode: StatusCodes.Status404NotFound } => ProblemAnswer.WriteAsync(context, Problems.NoSuchCall(context.Request.Path)),
        { StatusCode: StatusCodes.Status405MethodNotAllowed } =>
            ProblemAnswer.WriteAsync(context, Problems.WrongMethod(context.Request.Method, context.Request.Path, context.Response.Headers[HeaderNames.Allow].ToString())),
        _ => Task.CompletedTask,
    };

    [LoggerMessage(501, LogLevel.Error, "Failed to answer {Method} {Path}")]
    private partial void CallFailed(Exception exception, string method, string path);
}
