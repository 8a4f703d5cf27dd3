using System.Text;
using Wunderproxy.Proxy.WebSockets;

namespace Wunderproxy.IntegrationTests.Proxy;

public class FrameWatcherTests
{
    private static readonly int[] Lengths = [0, 1, 2, 125, 126, 127, 300, 65_535, 65_536, 70_000];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Ends_of_frames_are_found_however_the_bytes_come_in_pieces(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var frames = Enumerable.Range(0, random.Next(1, 8)).Select(_ => RandomFrame(random)).ToList();
            var ends = frames.Select((_, i) => frames.Take(i + 1).Sum(frame => frame.Length)).ToList();

            Assert.Equal(ends, EndsFound(Encoding.Latin1.GetBytes(string.Concat(frames)), random));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Close_is_known_when_its_last_byte_has_come(bool isMasked)
    {
        var bytes = Encoding.Latin1.GetBytes(WebSocketFrame.Of("last words", isMasked) + WebSocketFrame.Close(1000, isMasked));
        var watcher = new FrameWatcher();
        var taken = 0;
        while (taken < bytes.Length)
        {
            Assert.False(watcher.HasClosed);
            taken += watcher.Take(bytes.AsSpan(taken, 1));
        }

        Assert.True(watcher.HasClosed);
        Assert.True(watcher.IsBetweenFrames);
    }

    [Fact]
    public void Length_that_no_frame_may_have_is_a_frame_that_never_ends()
    {
        var watcher = new FrameWatcher();

        Assert.Equal(10, watcher.Take([0x82, 127, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(100_000, watcher.Take(new byte[100_000]));

        Assert.False(watcher.IsBetweenFrames);
    }

    private static string RandomFrame(Random random)
    {
        var length = random.Next(3) == 0 ? random.Next(1000) : Lengths[random.Next(Lengths.Length)];
        var payload = string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next(256)));
        return WebSocketFrame.Of(payload, random.Next(2) == 0, random.Next(16), random.Next(2) == 0);
    }

    private static List<int> EndsFound(byte[] bytes, Random random)
    {
        var watcher = new FrameWatcher();
        var ends = new List<int>();
        for (var taken = 0; taken < bytes.Length;)
        {
            var piece = bytes.AsSpan(taken, Math.Min(bytes.Length - taken, random.Next(4) == 0 ? random.Next(1, 100_000) : random.Next(1, 20)));
            taken += watcher.Take(piece);
            if (watcher.IsBetweenFrames)
            {
                ends.Add(taken);
            }
        }

        return ends;
    }
}
