using System.IO.Pipelines;
using System.Text;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Tells clients that speak HTTP without TLS where TLS is expected, in their own language.</summary>
internal static class PlainHttp
{
    private const string Words = "This port takes HTTPS only. Write https:// in place of http://.\n";

    private static readonly ReadOnlyMemory<byte> Refusal =
        Encoding.ASCII.GetBytes($"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {Words.Length}\r\nConnection: close\r\n\r\n{Words}");

    /// <summary>Looks at the first byte, which is there, and consumes nothing.</summary>
    /// <returns>Whether the client was refused; the connection is to be closed then.</returns>
    public static async ValueTask<bool> TryRefuseAsync(IDuplexPipe transport)
    {
        var isPlain = IsPlain(transport.Input);
        if (isPlain)
        {
            await transport.Output.WriteAsync(Refusal, CancellationToken.None);
        }

        return isPlain;
    }

    private static bool IsPlain(PipeReader input)
    {
        try
        {
            if (!input.TryRead(out var read))
            {
                return false;
            }

            var isPlain = !read.Buffer.IsEmpty && char.IsAsciiLetter((char)read.Buffer.FirstSpan[0]);
            input.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
            return isPlain;
        }
        catch (IOException)
        {
            // It is broken for the next reader, too.
            return false;
        }
    }
}
