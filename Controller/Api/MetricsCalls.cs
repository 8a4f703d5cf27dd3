using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Wunderproxy.Controller.Metering;

namespace Wunderproxy.Controller.Api;

/// <summary><c>GET /metrics</c>: all counts, for Prometheus.</summary>
/// <param name="report">Gets the metrics as they are now.</param>
internal sealed class MetricsCalls(Func<CancellationToken, Task<IReadOnlyList<MetricFamily>>> report)
{
    /// <summary>Adds the call to a server.</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapMethods("/metrics", [HttpMethods.Get, HttpMethods.Head], ReportAsync);

    private async Task ReportAsync(HttpContext context) =>
        await Answer.WriteAsync(context, StatusCodes.Status200OK, PrometheusText.MediaType, System.Text.Encoding.UTF8.GetBytes(PrometheusText.Write(await report(context.RequestAborted))));
}
