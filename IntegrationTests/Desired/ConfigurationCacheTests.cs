using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Desired;

public sealed class ConfigurationCacheTests : IDisposable
{
    private static readonly byte[] Document = Encoding.UTF8.GetBytes("""{ "ContainerConfig": { "Image": "shop:v1" } }""");

    private readonly string _root = Directory.CreateTempSubdirectory("wunderproxy-cache-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Order_whose_configuration_can_not_be_kept_on_the_disk_is_refused_as_not_durable()
    {
        var store = ObjectStore.Open(Path.Combine(_root, "store"), new StoreOptions { CreateDirectory = true });
        var hash = ContentHash.Of(Document);
        await store.PutAsync(ContentHash.KeyFor("shop", hash), Document, PutCondition.None, TestContext.Current.CancellationToken);
        var cache = new ConfigurationCache(store, "shop", Path.Combine(_root, "no such folder"), Permissions.None, PosixFileSystem.Instance);

        var resolution = await cache.ResolveAsync(hash, TestContext.Current.CancellationToken);

        var refused = Assert.IsType<Admission.Refused>(Refusals.Of(resolution));
        Assert.Equal(Refusal.NotDurable, refused.Refusal);
        Assert.Contains("What runs goes on", refused.Message, StringComparison.Ordinal);
        Assert.Null(cache.Find(hash));
    }

    [Fact]
    public async Task Orders_for_one_configuration_at_once_all_have_it_kept()
    {
        var cache = new ConfigurationCache(ObjectStore.Open(_root, new StoreOptions()), "shop", _root, Permissions.None, PosixFileSystem.Instance);
        using var together = new Barrier(16);

        var kept = await Task.WhenAll(Enumerable.Range(0, together.ParticipantCount).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait(TestContext.Current.CancellationToken);
                return cache.Keep("shop/current.json", Document);
            }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.All(kept, resolution => Assert.IsType<Resolution.Found>(resolution));
    }

    [Fact]
    public async Task Beginning_of_a_hash_stands_for_the_only_published_configuration_that_has_it()
    {
        var hash = ContentHash.Of(Document);
        var cache = await CacheAsync(hash);

        var found = Assert.IsType<Resolution.Found>(await cache.ResolveAsync(hash[..4], TestContext.Current.CancellationToken));

        Assert.Equal(hash, found.Hash);
        Assert.IsType<Resolution.Unknown>(await cache.ResolveAsync(hash[0] == '0' ? "1111" : "0000", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Beginning_that_several_configurations_have_is_refused_with_all_of_them()
    {
        var hash = ContentHash.Of(Document);
        var other = hash[..8] + new string('0', 56);
        var cache = await CacheAsync(hash, other);

        var unknown = Assert.IsType<Resolution.Unknown>(await cache.ResolveAsync(hash[..8], TestContext.Current.CancellationToken));

        Assert.Contains(hash, unknown.Message, StringComparison.Ordinal);
        Assert.Contains(other, unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beginning_of_a_configuration_that_is_here_is_enough_while_the_store_is_away()
    {
        var hash = ContentHash.Of(Document);
        var cache = await CacheAsync(hash);
        await cache.ResolveAsync(hash, TestContext.Current.CancellationToken);
        Directory.Delete(Path.Combine(_root, "store"), recursive: true);

        Assert.IsType<Resolution.Found>(await cache.ResolveAsync(hash[..4], TestContext.Current.CancellationToken));
        Assert.IsType<Resolution.Unavailable>(await cache.ResolveAsync(hash[0] == '0' ? "1111" : "0000", TestContext.Current.CancellationToken));
    }

    private async Task<ConfigurationCache> CacheAsync(params string[] hashes)
    {
        var store = ObjectStore.Open(Path.Combine(_root, "store"), new StoreOptions { CreateDirectory = true });
        foreach (var hash in hashes)
            await store.PutAsync(ContentHash.KeyFor("shop", hash), Document, PutCondition.None, TestContext.Current.CancellationToken);
        return new ConfigurationCache(store, "shop", _root, Permissions.None, PosixFileSystem.Instance);
    }
}
