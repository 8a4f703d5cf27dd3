using System.Diagnostics;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Store;

public sealed class DirectoryStoreTests : ObjectStoreTests
{
    private const string Key = "shop/current.json";
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Never = TimeSpan.FromMinutes(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("wunderproxy-store-").FullName;

    private string Root => Path.Combine(_folder, "store");

    private string CurrentPath => Path.Combine(Root, Key);

    public override ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Root);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Absent_directory_is_refused_unless_it_is_to_be_created()
    {
        var path = Path.Combine(_folder, "new", "store");

        var failure = Assert.Throws<StoreException>(() => DirectoryStore.Open(path, new StoreOptions()));
        Assert.Equal(StoreFault.NotFound, failure.Fault);
        Assert.Contains(path, failure.Message);

        using var store = DirectoryStore.Open(path, new StoreOptions { CreateDirectory = true });
        Assert.True(Directory.Exists(path));
    }

    [Fact]
    public void File_is_no_store()
    {
        var path = Path.Combine(_folder, "file");
        DurableFile.WriteAtomically(path, "x"u8);

        var failure = Assert.Throws<StoreException>(() => DirectoryStore.Open(path, new StoreOptions()));

        Assert.Contains("is a file", failure.Message);
    }

    [Fact]
    public async Task Directory_that_vanishes_is_an_error_not_an_absent_document()
    {
        var store = Open();
        Directory.Delete(Root);

        var failure = await Assert.ThrowsAsync<StoreException>(() => store.GetAsync(Key, null, 1000, Cancellation));

        Assert.Equal(StoreFault.NotFound, failure.Fault);
        await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation));
        await Assert.ThrowsAsync<StoreException>(() => store.ListAsync("", 10, Cancellation));
    }

    [Fact]
    public async Task Documents_are_readable_by_their_owner_only_and_nothing_else_is_left_in_their_folder()
    {
        await Open().PutAsync(Key, Bytes("{}"), PutCondition.None, Cancellation);

        Assert.Equal([CurrentPath], Directory.GetFiles(Path.GetDirectoryName(CurrentPath)!));
        Assert.Equal(DurableFile.OwnerOnly, new FileInfo(CurrentPath).UnixFileMode);
    }

    [Theory]
    [InlineData(".lock")]
    [InlineData("shop/.current.json.tmp")]
    public async Task Names_of_the_stores_own_files_are_refused(string key)
    {
        var failure = await Assert.ThrowsAsync<StoreException>(() => Open().PutAsync(key, Bytes("x"), PutCondition.None, Cancellation));

        Assert.Equal(StoreFault.NotFound, failure.Fault);
    }

    [Fact]
    public async Task Key_below_a_document_cannot_be_written()
    {
        var store = Open();
        await store.PutAsync("shop", Bytes("x"), PutCondition.None, Cancellation);

        var failure = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation));

        Assert.Equal(StoreFault.NotWritable, failure.Fault);
    }

    [Fact]
    public async Task Write_gives_up_when_another_process_holds_the_directory_beyond_the_deadline()
    {
        using var other = FileLock.TryAcquire(Path.Combine(Root, ".lock"));
        var store = Open(options => options with { CallDeadline = TimeSpan.FromMilliseconds(50) });

        var failure = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation));

        Assert.Equal(StoreFault.Unavailable, failure.Fault);
        Assert.Contains($"process {Environment.ProcessId}", failure.Message);
    }

    [Fact]
    public async Task Every_kind_of_change_is_seen_at_once()
    {
        var store = Open(options => options with { PollInterval = Never });
        var elsewhere = Path.Combine(_folder, "elsewhere");

        foreach (var change in (Action[])[
            () => Directory.CreateDirectory(Path.GetDirectoryName(CurrentPath)!),
            () => InPlace(CurrentPath, "created"),
            () => InPlace(CurrentPath, "changed in place"),
            () => DurableFile.WriteAtomically(CurrentPath, "replaced"u8),
            () => File.Move(CurrentPath, elsewhere),
            () => File.Move(elsewhere, CurrentPath),
            () => File.Delete(CurrentPath)])
        {
            await store.GetAsync(Key, null, 1000, Cancellation);
            var wait = store.WaitForChangeAsync(Key, Cancellation);
            change();
            await wait.WaitAsync(Soon, Cancellation);
        }
    }

    [Fact]
    public async Task Change_between_a_read_and_the_wait_after_it_ends_the_wait_at_once_and_only_once()
    {
        var store = Open(options => options with { PollInterval = Never });
        await store.GetAsync(Key, null, 1000, Cancellation);
        await store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation);

        await store.WaitForChangeAsync(Key, Cancellation).WaitAsync(Soon, Cancellation);

        await Assert.ThrowsAsync<TimeoutException>(() => store.WaitForChangeAsync(Key, Cancellation).WaitAsync(TimeSpan.FromMilliseconds(100), Cancellation));
    }

    [Fact]
    public async Task Change_of_another_document_does_not_end_the_wait()
    {
        var store = Open(options => options with { PollInterval = Never });
        await store.PutAsync(Key, Bytes("x"), PutCondition.None, Cancellation);
        await store.GetAsync(Key, null, 1000, Cancellation);

        var wait = store.WaitForChangeAsync(Key, Cancellation);
        await store.PutAsync("shop/history.json", Bytes("[]"), PutCondition.None, Cancellation);

        await Assert.ThrowsAsync<TimeoutException>(() => wait.WaitAsync(TimeSpan.FromMilliseconds(200), Cancellation));
    }

    [Fact]
    public async Task Half_written_document_reads_as_what_it_is_and_its_rest_is_seen()
    {
        var store = Open(options => options with { PollInterval = Never });
        Directory.CreateDirectory(Path.GetDirectoryName(CurrentPath)!);
        await using var file = new FileStream(CurrentPath, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        await file.WriteAsync(Bytes("{ \"Revision\":"), Cancellation);
        Assert.Equal("{ \"Revision\":", Text(await store.GetAsync(Key, null, 1000, Cancellation)));

        var wait = store.WaitForChangeAsync(Key, Cancellation);
        await file.WriteAsync(Bytes(" \"7\" }"), Cancellation);

        await wait.WaitAsync(Soon, Cancellation);
        Assert.Equal("{ \"Revision\": \"7\" }", Text(await store.GetAsync(Key, null, 1000, Cancellation)));
    }

    [Fact]
    public async Task Conditional_writers_of_other_processes_are_kept_apart_too()
    {
        // The util-linux tool takes the same lock as another wunderproxy would.
        var end = Path.Combine(Root, "end");
        using var other = Process.Start("flock", [Path.Combine(Root, ".lock"), "sh", "-c", "sleep 0.3; touch \"$0\"", end]);
        while (FileLock.TryAcquire(Path.Combine(Root, ".lock")) is { } free)
        {
            free.Dispose();
            Assert.False(File.Exists(end));
            await Task.Yield();
        }

        Assert.NotNull(await Open().PutAsync(Key, Bytes("x"), PutCondition.Absent, Cancellation));
        Assert.True(File.Exists(end));
    }

    internal override IObjectStore OpenStore(Func<StoreOptions, StoreOptions> change) => ObjectStore.Open(Root, change(new StoreOptions()));

    internal override Task<string> CreateOtherBucketAsync(string key, byte[] content)
    {
        var path = Path.Combine(_folder, "other", key);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.WriteAtomically(path, content);
        return Task.FromResult("other");
    }

    private static void InPlace(string path, string text)
    {
        using var file = new StreamWriter(path);
        file.Write(text);
    }
}
