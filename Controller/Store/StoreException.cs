namespace Wunderproxy.Controller.Store;

/// <summary>Why the store didn't answer as asked.</summary>
internal enum StoreFault
{
    /// <summary>No bucket (or directory) of that name, or no such object where one is required.</summary>
    NotFound,

    /// <summary>Credentials absent, wrong or without the right.</summary>
    AccessDenied,

    /// <summary>The host's clock is too far from the store's.</summary>
    ClockSkew,

    /// <summary>The object is larger than the caller allows.</summary>
    TooLarge,

    /// <summary>Not reached, no answer in time, overloaded, or an internal error: worth another try.</summary>
    Unavailable,

    /// <summary>A write that may have happened, or may still happen.</summary>
    Ambiguous,

    /// <summary>The disk of a directory store is full, or it can't be written.</summary>
    NotWritable,
}

/// <summary>A call to the store that failed: what, on which key, why, and what to do.</summary>
internal sealed class StoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;
}
