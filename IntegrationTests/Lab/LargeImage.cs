using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>An image with a large layer of its own, whose pull takes seconds.</summary>
public static class LargeImage
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <summary>The image is in the registry, and not in the engine, when this returns.</summary>
    /// <param name="lab">The lab.</param>
    /// <param name="image">What it is made of, in the engine.</param>
    /// <param name="reference">Its own name and tag, in the lab's registry.</param>
    /// <param name="bytes">Size of the layer, which can't be compressed.</param>
    public static async Task PublishAsync(LabHost lab, string image, string reference, int bytes)
    {
        using var engine = EngineHttp.Connect(lab.DockerSocket, Deadline);
        using var context = new ByteArrayContent(await ContextAsync(image, bytes));
        context.Headers.ContentType = new("application/x-tar");
        await DoneAsync(engine.PostAsync(Call($"build?t={reference}&networkmode=none"), context));

        var name = reference.LastIndexOf(':');
        using var push = new HttpRequestMessage(HttpMethod.Post, Call($"images/{reference[..name]}/push?tag={reference[(name + 1)..]}"));
        push.Headers.Add("X-Registry-Auth", "e30=");
        await DoneAsync(engine.SendAsync(push));
        await DoneAsync(engine.DeleteAsync(Call($"images/{reference}")));
    }

    private static Uri Call(string path) => new(path, UriKind.Relative);

    // A failure may be told within a stream that began with 200.
    private static async Task DoneAsync(Task<HttpResponseMessage> call)
    {
        using var answer = await call;
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode || text.Contains("\"errorDetail\"", StringComparison.Ordinal))
            throw new InvalidOperationException(text);
    }

    private static async Task<byte[]> ContextAsync(string image, int bytes)
    {
        var archive = new MemoryStream(bytes + (1 << 20));
        await using (var tar = new TarWriter(archive, leaveOpen: true))
        {
            await AddAsync(tar, "Dockerfile", Encoding.UTF8.GetBytes($"FROM {image}\nCOPY large /large\n"));
            await AddAsync(tar, "large", RandomNumberGenerator.GetBytes(bytes));
        }

        return archive.ToArray();
    }

    private static async Task AddAsync(TarWriter tar, string name, byte[] content)
    {
        await using var stream = new MemoryStream(content);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = stream });
    }
}
