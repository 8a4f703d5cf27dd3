using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Hosting;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Bytes that wait in memory and in a file.</summary>
public sealed class SpoolTests : IDisposable
{
    private const int Piece = Spool.PieceSize;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-");
    private readonly EventLoop _loop = new("test");
    private readonly DescriptorLimit _descriptors = new(new FakeTimeProvider());

    public void Dispose()
    {
        _loop.Dispose();
        _descriptors.Dispose();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Bytes_come_out_in_the_order_in_which_they_went_in_however_much_of_both_is_done_between(int seed)
    {
        var random = new Random(seed);
        using var store = Store(memory: 8 * Piece, disk: 64 * Piece);
        var room = new LoopSignal(_loop);
        var spool = new Spool(store, 2 * Piece, long.MaxValue, room, _loop);
        var (put, taken) = (0L, 0L);
        for (var i = 0; i < 2000; i++)
        {
            put = random.Next(3) > 0 || taken == put ? await PutAsync(spool, room, random.Next(1, 2 * Piece), put) : put;
            taken = random.Next(3) > 0 ? await TakeAsync(spool, random.Next(1, 2 * Piece), taken) : taken;
            Assert.Equal(put == taken, spool.IsEmpty);

            Assert.InRange(store.Report().MemoryBytes, 0, 8 * Piece);
            Assert.InRange(store.Report().DiskBytes, 0, 64 * Piece);
        }

        while (taken < put)
        {
            taken = await TakeAsync(spool, Piece, taken);
        }

        Assert.True(store.Report() is { Spilled: 1, FileFailures: 0 });
        spool.Dispose();
        await Lab.Eventually.HoldsAsync("everything is given back", () => store.Report() is { MemoryBytes: 0, DiskBytes: 0 });
    }

    [Fact]
    public async Task File_is_no_longer_than_what_has_waited_at_once()
    {
        using var store = Store(memory: 100 * Piece, disk: 100 * Piece);
        var room = new LoopSignal(_loop);
        using var spool = new Spool(store, 2 * Piece, long.MaxValue, room, _loop);
        var (put, taken) = (await PutAsync(spool, room, 10 * Piece, 0), 0L);
        for (var i = 0; i < 100; i++)
        {
            taken = await TakeAsync(spool, Piece, taken);
            put = await PutAsync(spool, room, Piece, put);
        }

        Assert.InRange(store.Report().DiskBytes, Piece, 12 * Piece);
    }

    [Fact]
    public void Small_body_takes_little_memory()
    {
        using var store = Store(memory: 100 * Piece, disk: 0);
        using var spool = new Spool(store, 2 * Piece, long.MaxValue, new LoopSignal(_loop), _loop);

        Assert.True(spool.TryMakeRoom(5000));

        Assert.Equal((8192, 8192), (spool.Room.Length, store.Report().MemoryBytes));
    }

    [Fact]
    public async Task Room_ends_at_the_limit_of_the_body_and_at_that_of_all()
    {
        using var store = Store(memory: 4 * Piece, disk: 0);
        var room = new LoopSignal(_loop);
        using var limited = new Spool(store, 100 * Piece, Piece, room, _loop);
        await PutAsync(limited, room, Piece, 0);
        Assert.False(limited.TryMakeRoom());

        using var other = new Spool(store, 100 * Piece, long.MaxValue, room, _loop);
        await PutAsync(other, room, 3 * Piece, 0);

        Assert.False(other.TryMakeRoom());
        await TakeAsync(other, Piece, 0);
        Assert.True(other.TryMakeRoom());
    }

    [Fact]
    public async Task Whoever_fills_it_does_not_wait_for_the_disk_while_there_is_memory_to_spare()
    {
        using var store = Store(memory: 40 * Piece, disk: 100 * Piece);
        using var disk = new ManualResetEventSlim();
        for (var i = 0; i < 8; i++)
            store.Writers.Post(disk.Wait);
        var room = new LoopSignal(_loop);
        using var spool = new Spool(store, 2 * Piece, long.MaxValue, room, _loop);

        var (put, turns) = (0L, 0);
        while (true)
        {
            for (; spool.TryMakeRoom(); put += Piece)
                spool.Filled(spool.Room.Length);
            if (put >= 28 * Piece)
                break;
            turns++;
            await room.WaitAsync();
        }

        Assert.InRange(put, 28 * Piece, 30 * Piece);
        Assert.InRange(turns, 2, 3);
        disk.Set();
        await Lab.Eventually.HoldsAsync("there is room again", () => spool.TryMakeRoom());
    }

    [Fact]
    public async Task What_is_given_up_while_it_is_written_is_given_back()
    {
        using var store = Store(memory: 100 * Piece, disk: 100 * Piece);
        for (var i = 0; i < 50; i++)
        {
            var room = new LoopSignal(_loop);
            var spool = new Spool(store, 2 * Piece, long.MaxValue, room, _loop);
            await PutAsync(spool, room, 6 * Piece, 0);
            spool.Dispose();
        }

        await Lab.Eventually.HoldsAsync("everything is given back", () => store.Report() is { MemoryBytes: 0, DiskBytes: 0 });
    }

    private BufferStore Store(long memory, long disk) =>
        new(new BufferCaps(memory, disk, _folder.FullName), new ClientConnections(_descriptors), TimeProvider.System, NullLogger<BufferStore>.Instance);

    // Bytes that tell their place; as many as there is room for.
    private static async Task<long> PutAsync(Spool spool, LoopSignal room, int count, long at)
    {
        while (count > 0)
        {
            if (!spool.TryMakeRoom())
            {
                if (!spool.IsWriting)
                    return at;
                await room.WaitAsync();
                continue;
            }

            var memory = spool.Room[..Math.Min(count, spool.Room.Length)];
            for (var i = 0; i < memory.Length; i++)
            {
                memory.Span[i] = (byte)((at + i) % 251);
            }

            spool.Filled(memory.Length);
            count -= memory.Length;
            at += memory.Length;
        }

        return at;
    }

    private static async Task<long> TakeAsync(Spool spool, int count, long at)
    {
        while (count > 0 && !spool.IsEmpty)
        {
            if (!spool.TryPeek(out var bytes))
            {
                await spool.LoadAsync();
                continue;
            }

            bytes = bytes[..Math.Min(count, bytes.Length)];
            for (var i = 0; i < bytes.Length; i++)
            {
                Assert.Equal((byte)((at + i) % 251), bytes.Span[i]);
            }

            spool.Take(bytes.Length);
            count -= bytes.Length;
            at += bytes.Length;
        }

        return at;
    }
}
