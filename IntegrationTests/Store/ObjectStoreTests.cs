using System.Text;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>What every store promises. One subclass for each store, against the real thing.</summary>
public abstract class ObjectStoreTests : IAsyncLifetime
{
    private const string Key = "shop/current.json";
    private const int NoLimit = 1 << 20;

    private readonly List<IDisposable> _opened = [];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public abstract ValueTask InitializeAsync();

    public virtual ValueTask DisposeAsync()
    {
        _opened.ForEach(store => store.Dispose());
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Absent_object_is_not_found() =>
        Assert.Equal(StoreReadStatus.NotFound, (await Open().GetAsync(Key, null, NoLimit, Cancellation)).Status);

    [Fact]
    public async Task Written_object_is_read_byte_for_byte_with_the_etag_of_the_write()
    {
        var store = Open();
        var content = Enumerable.Range(0, 100_000).Select(number => (byte)number).ToArray();

        var etag = await store.PutAsync(Key, content, PutCondition.None, Cancellation);
        var read = await store.GetAsync(Key, null, content.Length, Cancellation);

        Assert.Equal(StoreReadStatus.Found, read.Status);
        Assert.Equal(content, read.Content.ToArray());
        Assert.Equal(etag, read.ETag);
        Assert.DoesNotContain('"', read.ETag!);
    }

    [Fact]
    public async Task Empty_object_is_found_and_empty()
    {
        var store = Open();
        await store.PutAsync(Key, default, PutCondition.None, Cancellation);

        var read = await store.GetAsync(Key, null, NoLimit, Cancellation);

        Assert.Equal(StoreReadStatus.Found, read.Status);
        Assert.Equal(0, read.Content.Length);
    }

    [Fact]
    public async Task Unchanged_object_is_not_read_again_and_a_changed_one_is()
    {
        var store = Open();
        var etag = await store.PutAsync(Key, Bytes("one"), PutCondition.None, Cancellation);

        var unchanged = await store.GetAsync(Key, etag, NoLimit, Cancellation);
        await store.PutAsync(Key, Bytes("two"), PutCondition.None, Cancellation);
        var changed = await store.GetAsync(Key, etag, NoLimit, Cancellation);

        Assert.Equal(new StoreRead(StoreReadStatus.NotModified, default, etag), unchanged);
        Assert.Equal("two", Text(changed));
    }

    [Fact]
    public async Task Object_larger_than_allowed_is_refused()
    {
        var store = Open();
        await store.PutAsync(Key, new byte[1001], PutCondition.None, Cancellation);

        var failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Key, null, 1000, Cancellation));

        Assert.Equal(StoreFault.TooLarge, failure.Fault);
        Assert.Contains(Key, failure.Message);
        Assert.Contains("1000 bytes", failure.Message);
    }

    [Fact]
    public async Task Write_if_absent_succeeds_once()
    {
        var store = Open();

        Assert.NotNull(await store.PutAsync(Key, Bytes("first"), PutCondition.Absent, Cancellation));
        Assert.Null(await store.PutAsync(Key, Bytes("second"), PutCondition.Absent, Cancellation));
        Assert.Equal("first", Text(await store.GetAsync(Key, null, NoLimit, Cancellation)));
    }

    [Fact]
    public async Task Write_if_matching_succeeds_with_the_current_etag_only()
    {
        var store = Open();
        var first = await store.PutAsync(Key, Bytes("first"), PutCondition.None, Cancellation);

        var second = await store.PutAsync(Key, Bytes("second"), PutCondition.Matches(first!), Cancellation);
        var stale = await store.PutAsync(Key, Bytes("third"), PutCondition.Matches(first!), Cancellation);

        Assert.NotNull(second);
        Assert.Null(stale);
        Assert.Equal("second", Text(await store.GetAsync(Key, null, NoLimit, Cancellation)));
    }

    [Fact]
    public async Task Write_if_matching_of_an_absent_object_does_not_create_it()
    {
        var store = Open();
        var etag = await store.PutAsync("shop/other.json", Bytes("other"), PutCondition.None, Cancellation);

        Assert.Null(await store.PutAsync(Key, Bytes("new"), PutCondition.Matches(etag!), Cancellation));
        Assert.Equal(StoreReadStatus.NotFound, (await store.GetAsync(Key, null, NoLimit, Cancellation)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_of_many_conditional_writers_wins(bool present)
    {
        var store = Open();
        var etag = present ? await store.PutAsync(Key, Bytes("before"), PutCondition.None, Cancellation) : null;
        var condition = etag is null ? PutCondition.Absent : PutCondition.Matches(etag);

        var wins = await Task.WhenAll(Enumerable.Range(0, 32).Select(racer => WinsAsync(Open(), $"racer {racer}", condition)));

        var winner = Assert.Single(wins, name => name is not null);
        Assert.Equal(winner, Text(await store.GetAsync(Key, null, NoLimit, Cancellation)));
    }

    [Fact]
    public async Task Deleted_object_is_gone_and_deleting_it_again_is_fine()
    {
        var store = Open();
        await store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation);

        await store.DeleteAsync(Key, Cancellation);
        await store.DeleteAsync(Key, Cancellation);

        Assert.Equal(StoreReadStatus.NotFound, (await store.GetAsync(Key, null, NoLimit, Cancellation)).Status);
    }

    [Fact]
    public async Task Listing_gives_the_keys_under_a_prefix_in_ordinal_order_up_to_the_limit()
    {
        var store = Open();
        foreach (var key in (string[])["shop/hosts/b.json", "shop/hosts/a.json", "shop/container.9.json", "shop/Z.json", "shopping/x.json", "other.json"])
        {
            await store.PutAsync(key, Bytes(key), PutCondition.None, Cancellation);
        }

        Assert.Equal(
            ["shop/Z.json", "shop/container.9.json", "shop/hosts/a.json", "shop/hosts/b.json"], await store.ListAsync("shop/", 100, Cancellation));
        Assert.Equal(["shop/container.9.json"], await store.ListAsync("shop/cont", 100, Cancellation));
        Assert.Equal(["other.json", "shop/Z.json"], await store.ListAsync("", 2, Cancellation));
        Assert.Empty(await store.ListAsync("absent/", 100, Cancellation));
    }

    [Fact]
    public async Task Object_of_any_size_is_opened_as_a_stream()
    {
        var store = Open();
        var content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        await store.PutAsync("archive.tar", content, PutCondition.None, Cancellation);

        using var copy = new MemoryStream();
        await using (var stream = await store.OpenAsync(null, "archive.tar", Cancellation))
        {
            await stream.CopyToAsync(copy, Cancellation);
        }

        Assert.Equal(content, copy.ToArray());
    }

    [Fact]
    public async Task Opening_an_absent_object_names_it()
    {
        var failure = await Assert.ThrowsAsync<StoreException>(() => Open().OpenAsync(null, "absent.tar", Cancellation));

        Assert.Equal(StoreFault.NotFound, failure.Fault);
        Assert.Contains("absent.tar", failure.Message);
    }

    [Fact]
    public async Task Object_of_another_bucket_is_opened_and_an_absent_bucket_named()
    {
        var bucket = await CreateOtherBucketAsync("archive.tar", Bytes("from elsewhere"));

        await using var stream = await Open().OpenAsync(bucket, "archive.tar", Cancellation);
        using var reader = new StreamReader(stream);
        Assert.Equal("from elsewhere", await reader.ReadToEndAsync(Cancellation));

        var failure = await Assert.ThrowsAsync<StoreException>(() => Open().OpenAsync("absent-bucket", "archive.tar", Cancellation));
        Assert.Equal(StoreFault.NotFound, failure.Fault);
        Assert.Contains("absent-bucket", failure.Message);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("shop/../../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("shop//current.json")]
    [InlineData("shop/./current.json")]
    [InlineData("shop/")]
    [InlineData("")]
    [InlineData("shop/\0")]
    public async Task Key_that_could_lead_elsewhere_is_refused(string key)
    {
        var store = Open();

        Assert.All(
            [
                await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(key, null, NoLimit, Cancellation)),
                await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(key, Bytes("x"), PutCondition.None, Cancellation)),
                await Assert.ThrowsAsync<StoreException>(() => store.DeleteAsync(key, Cancellation)),
                await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync(null, key, Cancellation)),
            ],
            failure => Assert.Equal(StoreFault.NotFound, failure.Fault));
    }

    [Fact]
    public async Task Cancelled_call_ends_as_cancelled()
    {
        var store = Open();
        var cancelled = new CancellationToken(canceled: true);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.GetAsync(Key, null, NoLimit, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.None, cancelled));
    }

    [Fact]
    public async Task Wait_ends_with_the_poll_interval_at_the_latest()
    {
        var time = new FakeTimeProvider();
        var store = Open(options => options with { Time = time, PollInterval = TimeSpan.FromSeconds(5) });

        var wait = store.WaitForChangeAsync(Key, Cancellation);
        time.Advance(TimeSpan.FromSeconds(3.9));
        Assert.False(wait.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2.2));

        await wait.WaitAsync(TimeSpan.FromSeconds(5), Cancellation);
    }

    internal static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    internal static string Text(StoreRead read) => Encoding.UTF8.GetString(read.Content.Span);

    /// <summary>The store under test, each time with connections of its own.</summary>
    internal abstract IObjectStore OpenStore(Func<StoreOptions, StoreOptions> change);

    /// <summary>Creates another bucket with one object in it.</summary>
    internal abstract Task<string> CreateOtherBucketAsync(string key, byte[] content);

    internal IObjectStore Open(Func<StoreOptions, StoreOptions>? change = null)
    {
        var store = OpenStore(change ?? (options => options));
        _opened.Add((IDisposable)store);
        return store;
    }

    // A loser may be told that nobody knows, as the interface says; then the object tells.
    private static async Task<string?> WinsAsync(IObjectStore store, string name, PutCondition condition)
    {
        try
        {
            return await store.PutAsync(Key, Bytes(name), condition, Cancellation) is null ? null : name;
        }
        catch (StoreException failure) when (failure.Fault is StoreFault.Ambiguous)
        {
            return Text(await store.GetAsync(Key, null, NoLimit, Cancellation)) == name ? name : null;
        }
    }
}
