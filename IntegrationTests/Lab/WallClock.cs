using System.Buffers.Binary;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The wall clock of the processes that are started with its <see cref="Variables"/>; it can be set while they run, as an operator or a time server does it.</summary>
internal sealed class WallClock
{
    private static readonly TimeSpan CompileDeadline = TimeSpan.FromSeconds(30);

    private readonly string _offset;

    private WallClock(string library, string offset)
    {
        _offset = offset;
        Variables = new Dictionary<string, string?> { ["LD_PRELOAD"] = library, ["CLOCK_OFFSET"] = offset };
    }

    /// <summary>Variables of a process that has this clock.</summary>
    public IReadOnlyDictionary<string, string?> Variables { get; }

    /// <summary>A clock that goes right.</summary>
    /// <param name="folder">Where its files are kept.</param>
    public static async Task<WallClock> CreateAsync(string folder)
    {
        var library = Path.Combine(folder, "clock.so");
        await Command.RunAsync("cc", ["-shared", "-fPIC", "-O1", "-o", library, Path.Combine(AppContext.BaseDirectory, "Lab", "clock.c")], CompileDeadline);
        var clock = new WallClock(library, Path.Combine(folder, "clock.offset"));
        clock.Set(TimeSpan.Zero);
        return clock;
    }

    /// <summary>Sets it apart from the machine's.</summary>
    public void Set(TimeSpan offset)
    {
        var seconds = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(seconds, (long)offset.TotalSeconds);
        using var file = File.Open(_offset, FileMode.OpenOrCreate);
        file.Write(seconds);
    }
}
