using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

public abstract partial class EngineConformance
{
    [Fact]
    public async Task Watch_tells_that_it_is_connected_and_then_what_happens_to_our_containers_only()
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
        await using var events = Engine.WatchAsync(Ours, deadline.Token).GetAsyncEnumerator(deadline.Token);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(EngineEvent.Connected, events.Current);

        var foreign = Body("exit 0");
        foreign["Labels"]![RunLabel] = Run + "-foreign";
        var foreignId = await Engine.CreateContainerAsync(NameOf("foreign"), foreign, Token);
        await Engine.RemoveContainerAsync(foreignId, Token);
        var id = await StartedAsync("a", "exit 1");
        await WaitForEndAsync(id);
        await Engine.RemoveContainerAsync(id, Token);

        var seen = new List<EngineEvent>();
        while (seen.LastOrDefault()?.Action != "destroy" && await events.MoveNextAsync())
        {
            seen.Add(events.Current);
        }

        Assert.All(seen, happened => Assert.Equal(id, happened.ContainerId));
        Assert.Equal(["create", "start", "die", "destroy"], seen.Select(happened => happened.Action));
    }

    [Fact]
    public async Task Watch_ends_with_its_token()
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Engine.WatchAsync(Ours, end.Token))
            {
                await end.CancelAsync();
            }
        });
    }
}
