using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Wunderproxy.IntegrationTests.Api;

/// <summary>Takes the routes of an API without serving them.</summary>
internal sealed class ListedRoutes : IEndpointRouteBuilder
{
    private static readonly IServiceProvider NoServices = new ServiceCollection().BuildServiceProvider();

    public IServiceProvider ServiceProvider => NoServices;

    public ICollection<EndpointDataSource> DataSources { get; } = [];

    public IEnumerable<RouteEndpoint> All => DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>();

    public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(ServiceProvider);
}
