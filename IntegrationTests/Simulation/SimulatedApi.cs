using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.IntegrationTests.Api;

namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>The admin API without a network: requests go through its own guard and calls, in the simulation's time.</summary>
internal sealed class SimulatedApi
{
    private readonly Dictionary<string, RequestDelegate> _calls;

    public SimulatedApi(IReconciler reconciler, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        var routes = new ListedRoutes();
        new AdminCalls(reconciler, new CallerCheck(null), time, stopping).Map(routes);
        _calls = routes.All
            .ToDictionary(e => e.RoutePattern.RawText!, e => AdminApi.Guarded(e.RequestDelegate!, reconciler.Started, logger), StringComparer.Ordinal);
    }

    /// <summary>Posts a text.</summary>
    /// <param name="path">One of the calls.</param>
    /// <param name="query">With its question mark, or empty.</param>
    /// <param name="body">The text.</param>
    /// <param name="left">The caller hangs up.</param>
    public async Task<ApiAnswer> PostAsync(string path, string query, string body, CancellationToken left)
    {
        var context = new DefaultHttpContext { RequestAborted = left };
        var answer = new MemoryStream();
        (context.Request.Method, context.Request.Path, context.Request.QueryString) = (HttpMethods.Post, path, new QueryString(query));
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        context.Response.Body = answer;
        await _calls[path](context);
        return new ApiAnswer(context.Response.StatusCode, Encoding.UTF8.GetString(answer.ToArray()).TrimEnd());
    }
}

/// <summary>What the admin API answered.</summary>
internal sealed record ApiAnswer(int Status, string Body)
{
    public bool IsAccepted => Status is StatusCodes.Status200OK or StatusCodes.Status202Accepted;

    /// <summary>Whether it says what came of the call.</summary>
    public bool IsNamed => IsAccepted ? Body.Length > 0 : JsonSerializer.Deserialize(Body, ContractsJson.Default.ApiProblem) is { Type: not "unexpected", Detail.Length: > 0 };
}
