using Wunderproxy.Controller.Reconciling;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Reconciling;

public sealed class CanaryKeysTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");
    private readonly DirectoryStore _store;

    public CanaryKeysTests() => _store = DirectoryStore.Open(_folder.FullName, new StoreOptions());

    public void Dispose()
    {
        _store.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Hosts_of_an_application_have_the_same_key_also_where_they_make_it_at_once()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(host => KeysOf((byte)host).ReadOrMakeAsync(CancellationToken.None)));

        Assert.Single(keys.Distinct());
        Assert.Equal(keys[0], await KeysOf(99).ReadOrMakeAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("secret")]
    [InlineData("{}")]
    [InlineData("""{ "Base64": "c2VjcmV0" }""")]
    public async Task Document_that_is_no_key_is_left_alone_and_not_told(string content)
    {
        await _store.PutAsync("shop/canary.json", System.Text.Encoding.UTF8.GetBytes(content), PutCondition.None, CancellationToken.None);

        var failure = await Assert.ThrowsAsync<StoreException>(() => KeysOf(1).ReadOrMakeAsync(CancellationToken.None));

        Assert.Contains("shop/canary.json", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ecret", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2Vj", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_is_printed_nowhere()
    {
        var key = await KeysOf(7).ReadOrMakeAsync(CancellationToken.None);

        Assert.DoesNotContain(key.Base64, new Controller.Journaling.Journal { CanaryKey = key }.ToString(), StringComparison.Ordinal);
    }

    private CanaryKeys KeysOf(byte host) => new(_store, "shop", () => [.. Enumerable.Repeat(host, 32)]);
}
