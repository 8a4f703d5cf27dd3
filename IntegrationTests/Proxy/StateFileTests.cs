using System.Text;
using Wunderproxy.Proxy.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

public sealed class StateFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");

    private string FilePath => Path.Combine(_folder.FullName, "shop.state");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Newest_document_is_found_again()
    {
        Write("one", "two", "three");

        using var file = DurableFile.Open(FilePath);

        Assert.Equal("three", TextOf(file));
        Assert.Equal(0, file.DamagedSlots);
    }

    [Fact]
    public void Write_that_was_cut_short_anywhere_leaves_the_former_document_or_the_new_one()
    {
        Write("former");
        var before = File.ReadAllBytes(FilePath);
        Write("the new document");
        var after = File.ReadAllBytes(FilePath);
        const int slot = 2 << 20;
        var written = after.AsSpan(slot).LastIndexOfAnyExcept((byte)0) + 1;

        for (var kept = 0; kept <= written; kept++)
        {
            var torn = (byte[])after.Clone();
            before.AsSpan(Math.Min(before.Length, slot + kept)).CopyTo(torn.AsSpan(slot + kept));
            torn.AsSpan(Math.Max(before.Length, slot + kept)).Clear();
            Replace(torn);

            using var file = DurableFile.Open(FilePath);

            Assert.Equal(kept == written ? "the new document" : "former", TextOf(file));
        }
    }

    [Fact]
    public void Any_flipped_bit_of_the_newest_slot_is_noticed()
    {
        Write("former", "new");
        var whole = File.ReadAllBytes(FilePath);
        const int slot = 2 << 20;
        for (var bit = 0; bit < (whole.Length - slot) * 8; bit += 5)
        {
            var damaged = (byte[])whole.Clone();
            damaged[slot + (bit / 8)] ^= (byte)(1 << (bit % 8));
            Replace(damaged);

            using var file = DurableFile.Open(FilePath);

            Assert.Equal(("former", 1), (TextOf(file), file.DamagedSlots));
        }
    }

    [Fact]
    public void Write_after_a_damage_overwrites_the_damaged_slot()
    {
        Write("former", "new");
        var damaged = File.ReadAllBytes(FilePath);
        damaged[^1] ^= 1;
        Replace(damaged);
        Write("newest");

        using var file = DurableFile.Open(FilePath);

        Assert.Equal(("newest", 0), (TextOf(file), file.DamagedSlots));
    }

    [Fact]
    public void File_of_an_earlier_version_with_smaller_slots_is_read_and_written_on()
    {
        const int formerSlot = 1 << 20;
        Write("older", "newer");
        var file = File.ReadAllBytes(FilePath);
        byte[] former = [.. file[..formerSlot], .. file[(2 * formerSlot)..]];
        Replace(former);

        using (var opened = DurableFile.Open(FilePath))
        {
            Assert.Equal(("newer", 0), (TextOf(opened), opened.DamagedSlots));
            opened.Write("newest"u8.ToArray());
            Assert.Throws<IOException>(() => opened.Write(new byte[formerSlot]));
        }

        using var again = DurableFile.Open(FilePath);
        Assert.Equal("newest", TextOf(again));
        Assert.InRange(new FileInfo(FilePath).Length, 0, 2 * formerSlot);
    }

    [Fact]
    public void Document_that_is_too_large_is_refused_and_the_former_one_stays()
    {
        Write("former");
        using (var file = DurableFile.Open(FilePath))
        {
            Assert.Throws<IOException>(() => file.Write(new byte[DurableFile.MaxLength + 1]));
            file.Write(new byte[DurableFile.MaxLength]);
        }

        using var again = DurableFile.Open(FilePath);
        Assert.Equal(DurableFile.MaxLength, again.Content!.Length);
    }

    [Fact]
    public async Task File_that_cannot_be_read_is_set_aside_and_the_Proxy_starts()
    {
        await using var proxy = await RunningProxy.StartAsync();
        await using var backend = new RawBackend();
        await proxy.SwitchAsync(backend.Address);
        await proxy.Host.DisposeAsync();
        var state = Path.Combine(proxy.Options.StateDirectory, "shop.state");
        await using (var file = new FileStream(state, FileMode.Open))
        {
            file.Write("rubbish"u8);
        }

        await proxy.RestartAsync();

        Assert.Empty((await proxy.StatusAsync()).Applications);
        Assert.Single(Directory.GetFiles(proxy.Options.StateDirectory, "shop.state.damaged-*"));
    }

    private static string? TextOf(DurableFile file) => file.Content is { } content ? Encoding.UTF8.GetString(content) : null;

    private void Write(params string[] documents)
    {
        using var file = DurableFile.Open(FilePath);
        foreach (var document in documents)
        {
            file.Write(Encoding.UTF8.GetBytes(document));
        }
    }

    private void Replace(byte[] content)
    {
        using var file = new FileStream(FilePath, FileMode.Create);
        file.Write(content);
    }
}
