using System.Text;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.IntegrationTests.Proxy;

public class WebSocketDirectionTests
{
    [Fact]
    public async Task Passing_frames_on_allocates_nothing_for_each()
    {
        var text = string.Concat(Enumerable.Repeat(WebSocketFrame.Of("sixteen letters.", isMasked: true), 10_000));
        await PassAsync(text);

        var allocated = await PassAsync(text);

        Assert.InRange(allocated, 0, 1000);
    }

    // Everything is there at once, so it runs on this thread to its end.
    private static async Task<long> PassAsync(string text)
    {
        using var source = new MemoryStream(Encoding.Latin1.GetBytes(text));
        using var direction = new WebSocketDirection(source, Stream.Null, CloseFrame.ForClient, new CloseHandshake(), () => { });
        var before = GC.GetAllocatedBytesForCurrentThread();
        await direction.RunAsync(CancellationToken.None);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
