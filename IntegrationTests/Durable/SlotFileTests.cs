using System.Globalization;
using System.Text;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.IntegrationTests.Durable;

public sealed class SlotFileTests
{
    private const string Path = "/state/shop";
    private const string SlotA = Path + ".a";
    private const string SlotB = Path + ".b";
    private const int SmallSlotBytes = 2048;

    [Fact]
    public void Nothing_is_found_where_nothing_was_saved()
    {
        var slots = SlotFile.Open(Path, new CrashingFileSystem(1));

        Assert.Equal(SlotCondition.Nothing, slots.Found.Condition);
        Assert.Null(slots.Found.Newest);
        Assert.Empty(slots.Found.Damages);
    }

    [Fact]
    public void Last_saved_payload_is_found_and_both_slots_are_preallocated_by_the_first_save()
    {
        var disk = new CrashingFileSystem(1);

        foreach (var payload in (string[])["one", "two", "three"])
        {
            SlotFile.Open(Path, disk).Save(Encoding.UTF8.GetBytes(payload));

            var found = SlotFile.Open(Path, disk).Found;
            Assert.Equal(SlotCondition.Intact, found.Condition);
            Assert.Equal(payload, Text(found));
            Assert.Equal([SlotA, SlotB], disk.Names);
            Assert.All(disk.Names, name => Assert.Equal(SlotFile.InitialBytes, disk[name].Length));
        }
    }

    [Fact]
    public void Slots_are_overwritten_in_turn()
    {
        var disk = new CrashingFileSystem(1);
        var slots = SlotFile.Open(Path, disk);
        slots.Save("first"u8);
        byte[] a = [.. disk[SlotA]], b = [.. disk[SlotB]];

        slots.Save("second"u8);
        Assert.Equal(b, disk[SlotB]);
        Assert.NotEqual(a, disk[SlotA]);

        a = [.. disk[SlotA]];
        slots.Save("third"u8);
        Assert.Equal(a, disk[SlotA]);
        Assert.NotEqual(b, disk[SlotB]);
    }

    [Theory]
    [InlineData(SlotA)]
    [InlineData(SlotB)]
    public void Every_truncation_of_a_slot_leaves_the_newest_payload_or_the_one_before(string slot) =>
        AssertHarmless(slot, bytes => Enumerable.Range(0, bytes.Length).Select(length => bytes[..length]));

    [Theory]
    [InlineData(SlotA)]
    [InlineData(SlotB)]
    public void Every_flipped_bit_of_a_slot_leaves_the_newest_payload_or_the_one_before(string slot) =>
        AssertHarmless(slot, bytes => Enumerable.Range(0, bytes.Length * 8).Select(bit =>
        {
            byte[] flipped = [.. bytes];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            return flipped;
        }));

    [Fact]
    public void Damaged_slot_is_named_with_its_reason_and_mended_by_the_next_save()
    {
        var disk = Disk("old", "new");
        disk[SlotA][Slot.HeaderBytes] ^= 1;

        var slots = SlotFile.Open(Path, disk);
        Assert.Equal(SlotCondition.OneDamaged, slots.Found.Condition);
        Assert.Equal(new SlotDamage(SlotA, "checksum mismatch"), Assert.Single(slots.Found.Damages));

        slots.Save("newer"u8);
        Assert.Equal(SlotCondition.Intact, SlotFile.Open(Path, disk).Found.Condition);
        Assert.Equal("newer", Text(SlotFile.Open(Path, disk).Found));
    }

    [Fact]
    public void Slots_of_an_unknown_version_are_damaged_not_misread()
    {
        var disk = Disk("old", "new");
        disk[SlotA][8] = disk[SlotB][8] = 2;

        var found = SlotFile.Open(Path, disk).Found;

        Assert.Equal(SlotCondition.AllDamaged, found.Condition);
        Assert.All(found.Damages, damage => Assert.Contains("format version 2", damage.Reason));
    }

    [Fact]
    public void Damaged_slots_are_set_aside_and_the_last_three_of_each_are_kept()
    {
        var disk = new CrashingFileSystem(1);
        for (var round = 1; round <= 5; round++)
        {
            disk[SlotA] = Encoding.UTF8.GetBytes($"garbage a{round}");
            disk[SlotB] = Encoding.UTF8.GetBytes($"garbage b{round}");
            var slots = SlotFile.Open(Path, disk);
            Assert.Equal(SlotCondition.AllDamaged, slots.Found.Condition);
            slots.Save("rebuilt"u8);
        }

        Assert.Equal("rebuilt", Text(SlotFile.Open(Path, disk).Found));
        Assert.Equal(
            [SlotA, $"{SlotA}.damaged-1", $"{SlotA}.damaged-2", $"{SlotA}.damaged-3", SlotB, $"{SlotB}.damaged-1", $"{SlotB}.damaged-2", $"{SlotB}.damaged-3"],
            disk.Names);
        Assert.Equal("garbage a5", Encoding.UTF8.GetString(disk[$"{SlotA}.damaged-1"]));
        Assert.Equal("garbage a3", Encoding.UTF8.GetString(disk[$"{SlotA}.damaged-3"]));
    }

    [Fact]
    public void Slot_grows_for_a_larger_payload_up_to_the_cap()
    {
        var disk = Disk("old", "new");
        var slots = SlotFile.Open(Path, disk);
        var large = new byte[SlotFile.MaxBytes - Slot.HeaderBytes];
        large.AsSpan().Fill(7);

        slots.Save(large);
        Assert.Equal(large, SlotFile.Open(Path, disk).Found.Newest!.Payload.ToArray());

        var refusal = Assert.Throws<DurableWriteException>(() => slots.Save(new byte[large.Length + 1]));
        Assert.Contains("more than a slot may hold", refusal.Message);
        Assert.Equal(large, SlotFile.Open(Path, disk).Found.Newest!.Payload.ToArray());
    }

    [Fact]
    public void Full_disk_is_told_and_the_generation_before_stays_valid()
    {
        var disk = Disk("old", "new");
        var slots = SlotFile.Open(Path, disk);
        disk.FaultAt = _ => DurableWriteFault.NoSpace;

        var failure = Assert.Throws<DurableWriteException>(() => slots.Save("unsaved"u8));

        Assert.Equal(DurableWriteFault.NoSpace, failure.Fault);
        Assert.Contains($"in '{SlotB}', stays valid", failure.Message);
        Assert.Equal("new", Text(SlotFile.Open(Path, disk).Found));
    }

    [Fact]
    public void Slot_that_failed_to_sync_is_replaced_by_a_new_file_before_it_is_trusted_again()
    {
        var disk = Disk("old", "new");
        var slots = SlotFile.Open(Path, disk);
        var sync = disk.Steps + 3;
        disk.FaultAt = step => step == sync ? DurableWriteFault.Failed : null;
        Assert.Throws<DurableWriteException>(() => slots.Save("lost"u8));

        slots.Save("kept"u8);

        Assert.Equal("kept", Text(SlotFile.Open(Path, disk.Reboot()).Found));
    }

    [Fact]
    public void Power_cut_at_any_step_leaves_the_payload_saved_last_or_the_one_being_saved()
    {
        for (var step = 1; step <= StepsOfAllSaves(); step++)
        {
            for (var seed = 0; seed < 20; seed++)
            {
                var disk = new CrashingFileSystem(seed) { PowerCutAt = step };
                var (acknowledged, attempted) = SaveAll(disk);
                AssertRecovered(disk.Reboot(), acknowledged, attempted, $"step {step}, seed {seed}");
            }
        }
    }

    [Fact]
    public void Failures_and_power_cuts_in_any_order_never_lose_an_acknowledged_payload()
    {
        var steps = StepsOfAllSaves();
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var disk = new CrashingFileSystem(seed) { PowerCutAt = random.Next(1, steps * 2) };
            disk.FaultAt = _ => random.Next(8) == 0 ? (DurableWriteFault)random.Next(3) : null;
            var (acknowledged, attempted) = SaveAll(disk);
            AssertRecovered(disk.Reboot(), acknowledged, attempted, $"seed {seed}");
        }
    }

    private static int StepsOfAllSaves()
    {
        var disk = new CrashingFileSystem(0);
        SaveAll(disk);
        return disk.Steps;
    }

    /// <summary>Saves eight payloads of very different lengths; gives the number of the last one acknowledged and of the last one attempted.</summary>
    private static (int Acknowledged, int Attempted) SaveAll(CrashingFileSystem disk)
    {
        var (acknowledged, attempted) = (0, 0);
        var slots = SlotFile.Open(Path, disk, SmallSlotBytes);
        try
        {
            while (attempted < 8)
            {
                if (TrySave(slots, ++attempted))
                {
                    acknowledged = attempted;
                }
            }
        }
        catch (PowerCutException)
        {
            // The machine is off; what it had acknowledged counts.
        }

        return (acknowledged, attempted);
    }

    private static bool TrySave(SlotFile slots, int number)
    {
        try
        {
            slots.Save(Payload(number));
            return true;
        }
        catch (DurableWriteException)
        {
            return false;
        }
    }

    private static byte[] Payload(int number)
    {
        var length = number % 4 == 3 ? SmallSlotBytes * number : 3 * number * number;
        return Encoding.UTF8.GetBytes($"{number:D4}{new string((char)('a' + number), length)}");
    }

    private static void AssertRecovered(CrashingFileSystem disk, int acknowledged, int attempted, string schedule)
    {
        var slots = SlotFile.Open(Path, disk, SmallSlotBytes);
        var payload = slots.Found.Newest?.Payload ?? default;
        var number = payload.IsEmpty ? 0 : int.Parse(Encoding.UTF8.GetString(payload.Span[..4]), CultureInfo.InvariantCulture);

        Assert.True(number >= acknowledged && number <= attempted, $"{schedule}: acknowledged {acknowledged}, attempted {attempted}, found {number}");
        Assert.True(number == 0 || payload.Span.SequenceEqual(Payload(number)), $"{schedule}: garbage");

        slots.Save("after"u8);
        Assert.Equal("after", Text(SlotFile.Open(Path, disk, SmallSlotBytes).Found));
    }

    private static void AssertHarmless(string slot, Func<byte[], IEnumerable<byte[]>> damage)
    {
        var disk = Disk("the payload before", "the newest payload");
        byte[] whole = [.. disk[slot]];
        foreach (var damaged in damage(whole))
        {
            disk[slot] = damaged;
            Assert.Contains(Text(SlotFile.Open(Path, disk).Found), (string[])["the payload before", "the newest payload"]);
        }

        disk[slot] = whole;
        Assert.Equal("the newest payload", Text(SlotFile.Open(Path, disk).Found));
    }

    /// <summary>A disk with two saved payloads, the older in slot a, without the zeros behind them.</summary>
    private static CrashingFileSystem Disk(string older, string newer) => new(1)
    {
        [SlotA] = Encode(1, older),
        [SlotB] = Encode(2, newer),
    };

    private static byte[] Encode(long generation, string payload) =>
        Slot.Encode(generation, Encoding.UTF8.GetBytes(payload), Slot.HeaderBytes + payload.Length + 40);

    private static string Text(SlotLoad found) => Encoding.UTF8.GetString(found.Newest!.Payload.Span);
}
