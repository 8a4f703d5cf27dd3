using System.IO.Compression;
using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Reads what an answer says, however it is encoded.</summary>
internal static class CompressedContent
{
    /// <summary>The text of a body.</summary>
    public static async Task<string> ReadAsync(HttpContent content) =>
        Decode(content.Headers.ContentEncoding.SingleOrDefault(), await content.ReadAsByteArrayAsync(CancellationToken.None));

    /// <summary>The text in bytes of a coding; absent: none.</summary>
    public static string Decode(string? coding, byte[] bytes)
    {
        using var source = new MemoryStream(bytes);
        using Stream decoded = coding switch
        {
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            _ => source,
        };
        using var reader = new StreamReader(decoded, Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
