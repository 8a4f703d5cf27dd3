namespace Wunderproxy.Contracts.Control;

/// <summary>What the Proxy keeps for slow clients of all applications, and what it has kept since it started.</summary>
public sealed record BufferUse
{
    /// <summary>Bytes of memory in use.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>Bytes of memory that may be in use; then bodies go through at the pace of their clients.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>Bytes of temporary files in use.</summary>
    public long DiskBytes { get; init; }

    /// <summary>Bytes of temporary files that may be in use.</summary>
    public long DiskLimit { get; init; }

    /// <summary>Requests whose body is being collected.</summary>
    public long Collecting { get; init; }

    /// <summary>Answers that the application has given wholly, and the client hasn't taken yet.</summary>
    public long Delivering { get; init; }

    /// <summary>Requests whose body was collected whole.</summary>
    public long Collected { get; init; }

    /// <summary>Answers of which something was taken from the application before the client took it.</summary>
    public long ReadAhead { get; init; }

    /// <summary>Bodies of which a part went to a file.</summary>
    public long Spilled { get; init; }

    /// <summary>Times that a body had to go on at its client's pace, for lack of room.</summary>
    public long Full { get; init; }

    /// <summary>Files that couldn't be made, written or read.</summary>
    public long FileFailures { get; init; }
}
