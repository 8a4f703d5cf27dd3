namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>Faults that could befall a host and that no test here plays.</summary>
internal static class NotPlayed
{
    public static IReadOnlyList<(string Fault, string Why)> All { get; } =
    [
        ("the kernel's own packet loss and reordering", "the lab's kernel has no netem; all traffic of a host is local anyway, but that to registry and store, whose slowness is played"),
        ("a disk that lies about fsync", "no device of the lab can; what was synced is taken for written"),
    ];
}
