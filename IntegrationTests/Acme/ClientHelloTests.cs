using System.IO.Pipelines;
using System.Net.Security;
using Wunderproxy.Proxy.Acme;

namespace Wunderproxy.IntegrationTests.Acme;

/// <summary>The first message of a TLS client, as the standard client writes it.</summary>
public sealed class ClientHelloTests
{
    [Fact]
    public async Task Client_that_offers_the_protocol_of_challenges_alone_wants_a_proof_and_no_other_does()
    {
        Assert.True(ClientHello.WantsProof(await HelloAsync(AcmeChallenge.Protocol)));
        Assert.False(ClientHello.WantsProof(await HelloAsync()));
        Assert.False(ClientHello.WantsProof(await HelloAsync(SslApplicationProtocol.Http2)));
        Assert.False(ClientHello.WantsProof(await HelloAsync(AcmeChallenge.Protocol, SslApplicationProtocol.Http11)));
    }

    [Fact]
    public async Task Whatever_else_comes_is_none_and_breaks_nothing()
    {
        var hello = await HelloAsync(AcmeChallenge.Protocol);
        var random = new Random(4711);

        for (var length = 0; length < hello.Length; length++)
            Assert.False(ClientHello.WantsProof(hello.AsSpan(0, length)));
        for (var round = 0; round < 20_000; round++)
        {
            var broken = hello.ToArray();
            for (var i = 0; i < 3; i++)
                broken[random.Next(broken.Length)] = (byte)random.Next(256);
            _ = ClientHello.WantsProof(broken);
        }
    }

    [Fact]
    public async Task Message_that_comes_in_pieces_is_waited_for_and_left_for_the_next_reader()
    {
        var hello = await HelloAsync(AcmeChallenge.Protocol);
        var pipe = new Pipe();

        var looking = ClientHello.WantsProofAsync(pipe.Reader, default);
        foreach (var part in hello.Chunk(50))
        {
            Assert.False(looking.IsCompleted);
            await pipe.Writer.WriteAsync(part);
        }

        Assert.True(await looking);
        Assert.Equal(hello.Length, (await pipe.Reader.ReadAsync()).Buffer.Length);
    }

    private static async Task<byte[]> HelloAsync(params SslApplicationProtocol[] protocols)
    {
        var (sent, stream) = (new MemoryStream(), new Duplex());
        stream.Output = sent;
        await using var tls = new SslStream(stream);
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "shop.example", ApplicationProtocols = [.. protocols] }));
        return sent.ToArray();
    }

    // Takes what is written, and ends when it is read.
    private sealed class Duplex : Stream
    {
        public Stream Output { get; set; } = Null;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => Output.Flush();

        public override int Read(byte[] buffer, int offset, int count) => 0;

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Output.Write(buffer, offset, count);
    }
}
