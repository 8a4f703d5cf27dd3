namespace Wunderproxy.Controller.Durable;

/// <summary>Why bytes didn't get onto the disk.</summary>
internal enum DurableWriteFault
{
    /// <summary>The disk or the quota is full (ENOSPC, EDQUOT).</summary>
    NoSpace,

    /// <summary>The file system is read-only or the right is missing (EROFS, EACCES, EPERM).</summary>
    ReadOnly,

    /// <summary>Anything else, such as EIO.</summary>
    Failed,

    /// <summary>Readers see the new content, but its folder couldn't be synced: a power cut may bring the former content back.</summary>
    Unsynced,
}

/// <summary>A write that isn't known to be on the disk. The message names the path, the system call and what the system said.</summary>
internal sealed class DurableWriteException(DurableWriteFault fault, string message, Exception? inner = null) : IOException(message, inner)
{
    public DurableWriteFault Fault { get; } = fault;
}
