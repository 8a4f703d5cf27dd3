using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Api;

/// <summary>Calls that tell why, by whom and for whom: <c>GET /explain</c>, <c>/history</c> and <c>/caller</c>.</summary>
internal sealed class ExplainCalls(IOperations operations, CallerCheck callers)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/explain", AdminCalls.ReadMethods, Explain);
        routes.MapMethods("/history", AdminCalls.ReadMethods, HistoryAsync);
        routes.MapMethods("/caller", AdminCalls.ReadMethods, Caller);
    }

    private Task Explain(HttpContext context) => Answer.WriteJsonAsync(context, StatusCodes.Status200OK, operations.Explain(), Answer.Readable.PlanExplanation);

    private async Task HistoryAsync(HttpContext context)
    {
        var history = await HistoryAsync(context.RequestAborted);
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new HistoryStatus([.. history.Entries.Reverse()]), Answer.Readable.HistoryStatus);
    }

    private async Task<History> HistoryAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await operations.ReadHistoryAsync(cancellationToken);
        }
        catch (Exception e) when (e is StoreException or HistoryException)
        {
            throw new ProblemException(Problems.NoHistory(e.Message));
        }
    }

    private Task Caller(HttpContext context)
    {
        var refusal = callers.RefusalOf(context);
        return Answer.WriteJsonAsync(
            context, StatusCodes.Status200OK, new CallerStatus(refusal is null, refusal?.Kind == CallerRefusal.Token, refusal?.Reason), Answer.Readable.CallerStatus);
    }
}
