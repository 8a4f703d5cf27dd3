using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>When the Proxy gives memory back.</summary>
public sealed class IdleMemoryTests : IDisposable
{
    private const long Load = 10_000_000;
    private const long Rest = 1000;

    private readonly FakeTimeProvider _time = new();
    private readonly DescriptorLimit _descriptors;

    public IdleMemoryTests() => _descriptors = new DescriptorLimit(_time);

    public void Dispose() => _descriptors.Dispose();

    [Fact]
    public void Memory_is_given_back_once_after_a_load_and_again_only_after_the_next()
    {
        using var memory = NewMemory();
        Assert.False(memory.IsDue(Load, letGo: 0, isIdle: true));

        Assert.True(memory.IsDue(Load + Rest, letGo: 0, isIdle: true));
        Assert.False(memory.IsDue(Load + (2 * Rest), letGo: 0, isIdle: true));
        Assert.False(memory.IsDue(2 * Load, letGo: 0, isIdle: true));

        Assert.True(memory.IsDue((2 * Load) + (3 * Rest), letGo: 0, isIdle: true));
    }

    [Fact]
    public void Nothing_is_collected_while_a_request_runs()
    {
        using var memory = NewMemory();
        Assert.False(memory.IsDue(Load, letGo: 0, isIdle: false));

        Assert.False(memory.IsDue(Load + Rest, letGo: 0, isIdle: false));

        Assert.True(memory.IsDue(Load + (2 * Rest), letGo: 0, isIdle: true));
    }

    [Fact]
    public void Nothing_is_collected_where_little_was_allocated()
    {
        using var memory = NewMemory();

        for (var allocated = 0L; allocated < 8 << 20; allocated += 100_000)
            Assert.False(memory.IsDue(allocated, letGo: 0, isIdle: true));
    }

    [Fact]
    public void What_many_connections_had_is_given_back_once_they_rest_or_have_left_though_they_allocate_little_by_that()
    {
        using var memory = NewMemory();
        Assert.False(memory.IsDue(Load, letGo: 0, isIdle: true));
        Assert.True(memory.IsDue(Load + Rest, letGo: 10, isIdle: true));

        Assert.False(memory.IsDue(Load + (2 * Rest), letGo: 900, isIdle: true));
        Assert.True(memory.IsDue(Load + (3 * Rest), letGo: 9500, isIdle: true));
        Assert.False(memory.IsDue(Load + (4 * Rest), letGo: 9500, isIdle: true));
    }

    private IdleMemory NewMemory() => new(new ClientConnections(_descriptors), _time);
}
