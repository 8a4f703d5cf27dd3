using Wunderproxy.Controller.Store;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>The S3 store while a real server is made to fail, and after.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class S3OutageTests : IAsyncLifetime
{
    private const string Key = "shop/current.json";

    private S3Store? _opened;

    private S3Store Store => _opened ?? throw new InvalidOperationException("Not initialized.");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _opened = S3Store.Open(await LabBuckets.CreateAsync(Cancellation), LabBuckets.Options with { CallDeadline = TimeSpan.FromSeconds(2) });
        await Store.PutAsync(Key, "before"u8.ToArray(), PutCondition.None, Cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _opened?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData("hang", "Unavailable", "Ambiguous")]
    [InlineData("put500", null, "Ambiguous")]
    public async Task Failing_server_is_told_within_the_deadline_and_served_by_again_afterwards(string fault, string? readFault, string writeFault)
    {
        await LabBuckets.FaultAsync(fault, Cancellation);
        try
        {
            Assert.Equal(readFault, await FaultOfAsync(Store.GetAsync(Key, null, 1000, Cancellation)));
            Assert.Equal(writeFault, await FaultOfAsync(Store.PutAsync(Key, "during"u8.ToArray(), PutCondition.None, Cancellation)));
        }
        finally
        {
            await LabBuckets.FaultAsync("un" + fault, CancellationToken.None);
        }

        await Store.PutAsync(Key, "after"u8.ToArray(), PutCondition.None, Cancellation);
        var read = await Store.GetAsync(Key, null, 1000, Cancellation);
        Assert.Equal("after", ObjectStoreTests.Text(read));
    }

    private static async Task<string?> FaultOfAsync(Task call)
    {
        try
        {
            await call.WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
            return null;
        }
        catch (StoreException failure)
        {
            return failure.Fault.ToString();
        }
    }
}
