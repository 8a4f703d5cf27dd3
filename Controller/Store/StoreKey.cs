using System.Text;

namespace Wunderproxy.Controller.Store;

/// <summary>What a key must look like in every store, so that none is ever read as a path that leads elsewhere.</summary>
internal static class StoreKey
{
    private const int MaxBytes = 1024;

    /// <summary>Refuses a key that no object can have.</summary>
    /// <exception cref="StoreException"><see cref="StoreFault.NotFound"/>: the key, and what is wrong with it.</exception>
    public static void Require(string key)
    {
        if (Problem(key, key.Split('/')) is { } problem)
        {
            throw new StoreException(StoreFault.NotFound, $"Key '{Printable(key)}' names no object: {problem}. Nothing was read or written.");
        }
    }

    /// <summary>Refuses the beginning of a key with which none can begin; it may end anywhere, and be empty.</summary>
    /// <exception cref="StoreException"><see cref="StoreFault.NotFound"/>: the prefix, and what is wrong with it.</exception>
    public static void RequirePrefix(string prefix)
    {
        if (Problem(prefix, prefix.Split('/')[..^1]) is { } problem)
        {
            throw new StoreException(StoreFault.NotFound, $"Prefix '{Printable(prefix)}' is that of no object: {problem}. Nothing was read.");
        }
    }

    private static string? Problem(string key, string[] segments)
    {
        if (Encoding.UTF8.GetByteCount(key) > MaxBytes)
        {
            return $"it is longer than {MaxBytes} bytes";
        }

        if (key.Any(char.IsControl))
        {
            return "it contains a control character";
        }

        return segments.Any(segment => segment is "" or "." or "..") ? "a part between slashes is empty, '.' or '..'" : null;
    }

    private static string Printable(string key) => string.Concat(key.Take(200).Select(c => char.IsControl(c) ? '?' : c));
}
