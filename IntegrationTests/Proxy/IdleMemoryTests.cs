using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Hosting;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>When the Proxy gives memory back.</summary>
public sealed class IdleMemoryTests
{
    private const long Load = 10_000_000;
    private const long Rest = 1000;

    [Fact]
    public void Memory_is_given_back_once_after_a_load_and_again_only_after_the_next()
    {
        using var memory = new IdleMemory(() => true, new FakeTimeProvider());
        Assert.False(memory.IsDue(Load, isIdle: true));

        Assert.True(memory.IsDue(Load + Rest, isIdle: true));
        Assert.False(memory.IsDue(Load + (2 * Rest), isIdle: true));
        Assert.False(memory.IsDue(2 * Load, isIdle: true));

        Assert.True(memory.IsDue((2 * Load) + (3 * Rest), isIdle: true));
    }

    [Fact]
    public void Nothing_is_collected_while_a_request_runs()
    {
        using var memory = new IdleMemory(() => true, new FakeTimeProvider());
        Assert.False(memory.IsDue(Load, isIdle: false));

        Assert.False(memory.IsDue(Load + Rest, isIdle: false));

        Assert.True(memory.IsDue(Load + (2 * Rest), isIdle: true));
    }

    [Fact]
    public void Nothing_is_collected_where_little_was_allocated()
    {
        using var memory = new IdleMemory(() => true, new FakeTimeProvider());

        for (var allocated = 0L; allocated < 8 << 20; allocated += 100_000)
            Assert.False(memory.IsDue(allocated, isIdle: true));
    }
}
