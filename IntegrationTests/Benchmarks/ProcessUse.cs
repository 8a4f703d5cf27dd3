using System.Globalization;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>What a process and its children have used up to now.</summary>
/// <param name="Cpu">User and system time. The kernel counts it in hundredths of a second.</param>
/// <param name="ResidentBytes">Resident memory.</param>
internal readonly record struct ProcessUse(TimeSpan Cpu, long ResidentBytes)
{
    private const int TicksPerSecond = 100;

    /// <param name="id">Process id; its children's use is added, as a server's workers are children of it.</param>
    public static ProcessUse Of(int id)
    {
        var uses = Family(id).Select(Read).ToList();
        return new ProcessUse(TimeSpan.FromTicks(uses.Sum(u => u.Cpu.Ticks)), uses.Sum(u => u.ResidentBytes));
    }

    private static List<int> Family(int id)
    {
        var family = new List<int> { id };
        for (var i = 0; i < family.Count; i++)
        {
            var children = string.Join(' ', Directory.GetDirectories($"/proc/{family[i]}/task").Select(ChildrenOf));
            family.AddRange(children.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture)));
        }

        return family;
    }

    // A thread may end meanwhile; its children are those of another one then.
    private static string ChildrenOf(string task)
    {
        try
        {
            return File.ReadAllText($"{task}/children");
        }
        catch (IOException)
        {
            return "";
        }
    }

    // 4242 (name, maybe with ) and spaces) S 1 ...: utime and stime are the 14th and 15th field, the 12th and 13th behind the name.
    private static ProcessUse Read(int id)
    {
        var stat = File.ReadAllText($"/proc/{id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return new ProcessUse(TimeSpan.FromSeconds((double)ticks / TicksPerSecond), ResidentOf(id));
    }

    // VmRSS:     12345 kB
    private static long ResidentOf(int id)
    {
        var line = File.ReadLines($"/proc/{id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
