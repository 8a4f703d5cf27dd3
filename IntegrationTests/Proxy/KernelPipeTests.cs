using System.Net;
using System.Net.Sockets;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The pipe through which the kernel moves bytes from socket to socket.</summary>
public sealed class KernelPipeTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly KernelPipe _pipe = new();

    public KernelPipeTests() => _listener.Start();

    public void Dispose()
    {
        _pipe.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task Bytes_go_through_it_from_one_socket_to_the_other()
    {
        var (source, writer) = await ConnectAsync();
        var (target, reader) = await ConnectAsync();
        using (source)
        using (writer)
        using (target)
        using (reader)
        {
            await GiveAsync(writer, source, "abcdef");

            Assert.Equal(4, _pipe.Fill(source, 4));
            Assert.Equal((4, 0), (_pipe.Empty(target), _pipe.Count));

            Assert.Equal(2, _pipe.Fill(source, KernelPipe.Capacity));
            Assert.Equal(2, _pipe.Empty(target));
            Assert.Equal(NativeSocket.WouldBlock, _pipe.Fill(source, 1));
            var received = new byte[6];
            await reader.ReceiveAsync(received);
            Assert.Equal("abcdef"u8.ToArray(), received);

            writer.Shutdown(SocketShutdown.Send);
            await Eventually.HoldsAsync("the end is there", source.IsAtEnd);
            Assert.Equal(0, _pipe.Fill(source, 1));
        }
    }

    [Fact]
    public void This_kernel_is_known_to_move_bytes_between_sockets() => Assert.True(KernelPipe.IsSupported);

    [Fact]
    public async Task What_was_left_in_it_is_given_to_nobody_else()
    {
        var (source, writer) = await ConnectAsync();
        using (source)
        using (writer)
        {
            await GiveAsync(writer, source, "abcdef");
            _pipe.Fill(source, 3);

            Assert.Throws<InvalidOperationException>(() => _pipe.Fill(source, 3));

            _pipe.Discard();
            Assert.Equal(0, _pipe.Count);
            _pipe.Fill(source, 3);
            var rest = new byte[3];
            _pipe.Read(rest);
            Assert.Equal("def"u8.ToArray(), rest);
        }
    }

    private async Task<(NativeSocket Here, Socket There)> ConnectAsync()
    {
        var here = NativeSocket.Connect((IPEndPoint)_listener.LocalEndpoint, out _);
        return (here, await _listener.AcceptSocketAsync());
    }

    private static async Task GiveAsync(Socket writer, NativeSocket source, string text)
    {
        await writer.SendAsync(System.Text.Encoding.ASCII.GetBytes(text));
        await Eventually.HoldsAsync("it has come", () => source.Unread == text.Length);
    }
}
