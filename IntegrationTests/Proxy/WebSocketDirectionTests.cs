using System.Text;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.IntegrationTests.Proxy;

public class WebSocketDirectionTests
{
    [Fact]
    public async Task Passing_frames_on_allocates_nothing_for_each()
    {
        var text = string.Concat(Enumerable.Repeat(WebSocketFrame.Of("sixteen letters.", isMasked: true), 10_000));
        var allocated = new List<long>();
        for (var i = 0; i < 5; i++)
        {
            allocated.Add(await PassAsync(text));
        }

        // What other tests do in this process may empty the pools that it shares with them; what each frame costs would be there every time.
        Assert.InRange(allocated.Min(), 0, 1000);
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
