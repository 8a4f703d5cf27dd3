using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Remembering;

namespace Wunderproxy.IntegrationTests.Remembering;

/// <summary>Traffic as a test tells it.</summary>
/// <param name="document">What is told of so many minutes.</param>
internal sealed class ToldTraffic(Func<int, TrafficDocument> document) : ITraffic
{
    public Task<TrafficDocument> ReportAsync(int minutes, CancellationToken cancellationToken) => Task.FromResult(document(minutes));
}
