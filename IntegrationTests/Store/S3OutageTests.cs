using Wunderproxy.Controller.Store;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Store;

/// <summary>The S3 store while a real server is made to fail, and after.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class S3OutageTests(LabHost lab) : IAsyncLifetime
{
    private const string Key = "shop/current.json";

    private S3Store? _opened;

    private S3Store Store => _opened ?? throw new InvalidOperationException("Not initialized.");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _opened = S3Store.Open(await LabBuckets.CreateAsync(lab, Cancellation), LabBuckets.OptionsOf(lab) with { CallDeadline = TimeSpan.FromSeconds(2) });
        await Store.PutAsync(Key, "before"u8.ToArray(), PutCondition.None, Cancellation);
    }

    public ValueTask DisposeAsync()
    {
        _opened?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(S3Fault.Hang, "Unavailable", "Ambiguous")]
    [InlineData(S3Fault.Put500, null, "Ambiguous")]
    public async Task Failing_server_is_told_within_the_deadline_and_served_by_again_afterwards(S3Fault fault, string? readFault, string writeFault)
    {
        await lab.S3FaultAsync(fault);
        try
        {
            Assert.Equal(readFault, await FaultOfAsync(Store.GetAsync(Key, null, 1000, Cancellation)));
            Assert.Equal(writeFault, await FaultOfAsync(Store.PutAsync(Key, "during"u8.ToArray(), PutCondition.None, Cancellation)));
        }
        finally
        {
            await lab.EndS3FaultAsync(fault);
        }

        // Another key: the write that was given up may still land, at any time.
        await Store.PutAsync("shop/other.json", "after"u8.ToArray(), PutCondition.None, Cancellation);
        var read = await Store.GetAsync("shop/other.json", null, 1000, Cancellation);
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
