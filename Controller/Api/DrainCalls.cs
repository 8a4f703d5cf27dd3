using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Api;

/// <summary><c>POST /drain</c>: what still runs on replaced releases is ended now, or gets more time.</summary>
internal sealed class DrainCalls(IOperations operations, CallerCheck callers)
{
    private const string Format = """Send {"End": true} or {"Extend": "5m"}, with "Hash" for one release; an empty body is none.""";

    public void Map(IEndpointRouteBuilder routes) => routes.MapPost("/drain", callers.Guarding(DrainAsync));

    private async Task DrainAsync(HttpContext context)
    {
        var order = await ReadAsync(context);
        var left = await operations.LimitDrainAsync(order, context.RequestAborted) switch
        {
            DrainOutcome.Done done => done.Releases,
            DrainOutcome.Refused refused => throw new ProblemException(Problems.NotDrained(refused)),
            var other => throw new InvalidOperationException($"There is no outcome {other}."),
        };
        await Answer.WriteJsonAsync(context, StatusCodes.Status200OK, new DrainStatus(left), Answer.Readable.DrainStatus);
    }

    private static async Task<DrainOrder> ReadAsync(HttpContext context)
    {
        var order = OrderBody.FromJson(await OrderBody.ReadAsync(context.Request, context.RequestAborted), ContractsJson.Default.DrainOrder, Format);
        var isClear = order is not null && (order.Hash is null || ContentHash.IsBeginning(order.Hash)) && order.End != (order.Extend > TimeSpan.Zero);
        return isClear ? order! : throw new ProblemException(Problems.BadRequest($"The body says neither an end nor more time, or both, or no hash; nothing was changed. {Format}"));
    }
}
