using System.Net;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Clients and applications that leave in the middle: the other side learns of it at once, and nothing is left behind.</summary>
public class AbortTests
{
    private const int WarmUp = 500;
    private const int Lanes = 4;

    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    public static TheoryData<string> Names => [.. AbortCorpus.All.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task End_of_one_side_reaches_the_other_within_a_second(string name)
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var pairs = await AbortPairs.StartAsync(() => WireConnection.ConnectAsync(proxy.Address), address => proxy.SwitchAsync(address));

        await pairs.AbortAsync(AbortCorpus.All.Single(row => row.Name == name), AtOnce);

        await proxy.UntilAsync(state => state.Targets[0] is { InFlight: 0, Streams: 0 });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task End_of_one_side_reaches_the_other_within_a_second_over_tls(string name)
    {
        using var authority = new TestAuthority();
        await using var proxy = await RunningProxy.StartAsync(authority.Offer);
        await using var pairs = await AbortPairs.StartAsync(
            () => authority.ConnectAsync(proxy.TlsAddress, static (socket, tls) => new WireConnection(socket, tls)), address => proxy.SwitchAsync(address));

        await pairs.AbortAsync(AbortCorpus.All.Single(row => row.Name == name), AtOnce);

        await proxy.UntilAsync(state => state.Targets[0] is { InFlight: 0, Streams: 0 });
    }

    // In a process of its own, for nothing else opens files there.
    [Fact]
    public async Task Thousands_of_aborts_leave_neither_memory_nor_descriptors_behind()
    {
        await using var process = await WireProcess.StartAsync();
        await using var pairs = await AbortPairs.StartAsync(() => WireConnection.ConnectAsync(process.Address), process.SwitchAsync);
        await AbortManyAsync(pairs, WarmUp);
        var before = await process.UsageAsync();

        await AbortManyAsync(pairs, WireRun.Aborts);

        await Eventually.HoldsAsync($"as few descriptors as before, {before.Descriptors}", () => process.Descriptors <= before.Descriptors);
        var after = await process.UsageAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{WireRun.Aborts} aborts, {after.LiveBytes - before.LiveBytes} bytes more than {before.LiveBytes}, {after.Descriptors - before.Descriptors} descriptors more");
        Assert.InRange(after.LiveBytes - before.LiveBytes, long.MinValue, Allowance(WireRun.Aborts));
    }

    // A connection left behind takes a thousand bytes at least, and the smallest object some dozens; pools that are still filling take what they take.
    private static long Allowance(int aborts) => 3_000_000 + (24L * aborts);

    private static async Task AbortManyAsync(AbortPairs pairs, int count)
    {
        var remaining = count;
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
        {
            while (Interlocked.Decrement(ref remaining) is >= 0 and var number)
            {
                await pairs.AbortAsync(AbortCorpus.All[number % AbortCorpus.All.Count], TimeSpan.FromSeconds(10));
            }
        }));
    }
}
