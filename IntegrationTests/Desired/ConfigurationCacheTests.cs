using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Desired;
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
        var cache = new ConfigurationCache(store, "shop", Path.Combine(_root, "no such folder"), Permissions.None);

        var resolution = await cache.ResolveAsync(hash, TestContext.Current.CancellationToken);

        var refused = Assert.IsType<Admission.Refused>(Refusals.Of(resolution));
        Assert.Equal(Refusal.NotDurable, refused.Refusal);
        Assert.Contains("What runs goes on", refused.Message, StringComparison.Ordinal);
        Assert.Null(cache.Find(hash));
    }
}
