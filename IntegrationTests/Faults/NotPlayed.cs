namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>Faults that could befall a host and that no test here plays.</summary>
internal static class NotPlayed
{
    public static IReadOnlyList<(string Fault, string Why)> All { get; } =
    [
        ("the kernel's own packet loss and reordering", "the lab's kernel has no netem; all traffic of a host is local anyway, but that to registry and store, whose slowness is played"),
        ("DNS slow", "no name server of the lab answers late; a name that isn't known and an S3 server that hangs are played"),
        ("fsync that fails", "it needs a tracer around the Controller; the durable files have tests of their own for it"),
        ("file descriptors of the Proxy exhausted", "the tests of the Proxy lower the limit of one that runs: it takes fewer clients, can be controlled, and serves on"),
        ("a disk that lies about fsync", "no device of the lab can; what was synced is taken for written"),
    ];
}
