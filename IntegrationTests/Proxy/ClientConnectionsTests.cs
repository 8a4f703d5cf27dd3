using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class ClientConnectionsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Status_may_be_asked_for_while_clients_leave()
    {
        using var descriptors = new DescriptorLimit(TimeProvider.System);
        var connections = new ClientConnections(descriptors);
        using var end = new CancellationTokenSource();
        var asking = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                connections.Running();
            }
        });

        await Task.Run(() =>
        {
            for (var i = 0; i < 200_000; i++)
            {
                connections.TryEnter(null)!.Leave();
            }
        }).WaitAsync(Limit, TimeProvider.System);

        await end.CancelAsync();
        await asking.WaitAsync(Limit, TimeProvider.System);
        Assert.Empty(connections.Running());
    }

    [Fact]
    public void Room_is_for_as_many_descriptors_as_there_are_two_for_a_client_and_one_for_a_file()
    {
        using var descriptors = new DescriptorLimit(TimeProvider.System);
        var connections = new ClientConnections(descriptors);
        var files = 2 * (descriptors.MaxConnections - 1);
        for (var i = 0L; i < files; i++)
            Assert.True(connections.TryEnterBeside());

        var last = connections.TryEnter(null)!;
        Assert.Null(connections.TryEnter(null));
        Assert.False(connections.TryEnterBeside());

        last.Leave();
        Assert.True(connections.TryEnterBeside());
        Assert.Null(connections.TryEnter(null));
        Assert.True(connections.TryEnterBeside());
    }
}
