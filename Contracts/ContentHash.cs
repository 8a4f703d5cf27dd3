using System.Security.Cryptography;

namespace Wunderproxy.Contracts;

/// <summary>Names a published document by the digest of its exact bytes: 64 lower-case hex digits (SHA-256, what is written) or 32 (MD5, what the Go tool wrote).</summary>
public static class ContentHash
{
    private const int Md5Digits = 32;
    private const int Sha256Digits = 64;
    private const int LeastDigits = 4;
    private const string KeyBegin = "/container.";
    private const string KeyEnd = ".json";

    /// <summary>The SHA-256 of a document that is about to be written.</summary>
    /// <param name="bytes">Exactly the bytes that are stored, a final newline included.</param>
    /// <returns>64 lower-case hex digits.</returns>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Whether a text has the form of a hash: 32 or 64 lower-case hex digits and nothing else. Only such a text may become part of a key or a path.</summary>
    public static bool IsValid(string? hash) =>
        hash is { Length: Md5Digits or Sha256Digits } && hash.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a text may be the beginning of a hash, or one: 4 to 64 lower-case hex digits.</summary>
    public static bool IsBeginning(string? text) =>
        text is { Length: >= LeastDigits and <= Sha256Digits } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The hash in the key of a published document; <see langword="null"/> if it is the key of something else.</summary>
    /// <param name="prefix">Prefix of the application, without a slash at its end.</param>
    /// <param name="key">A key as the store lists it.</param>
    public static string? InKey(string prefix, string key)
    {
        var hash = key.StartsWith(prefix + KeyBegin, StringComparison.Ordinal) && key.EndsWith(KeyEnd, StringComparison.Ordinal)
            ? key[(prefix.Length + KeyBegin.Length)..^KeyEnd.Length]
            : null;
        return IsValid(hash) ? hash : null;
    }

    /// <summary>Whether a document is the one that its name says.</summary>
    /// <param name="hash">Hash from the document's name; its length tells the digest. A text that is no hash matches nothing.</param>
    /// <param name="bytes">Exactly the bytes that were downloaded.</param>
    public static bool Matches(string? hash, ReadOnlySpan<byte> bytes) =>
        IsValid(hash) && hash == (hash!.Length == Md5Digits ? Md5Of(bytes) : Of(bytes));

    /// <summary>Key of the document in the store, <c>{prefix}/container.{hash}.json</c>.</summary>
    /// <param name="prefix">Prefix of the application, without a slash at its end.</param>
    /// <param name="hash">A hash for which <see cref="IsValid"/> holds.</param>
    /// <exception cref="ArgumentException"><paramref name="hash"/> is none: it must never reach a key.</exception>
    public static string KeyFor(string prefix, string hash) => IsValid(hash)
        ? $"{prefix}{KeyBegin}{hash}{KeyEnd}"
        : throw new ArgumentException("A hash is 32 or 64 lower-case hex digits.", nameof(hash));

    /// <summary>What the keys of all published documents begin with whose hashes begin so.</summary>
    /// <param name="prefix">Prefix of the application, without a slash at its end.</param>
    /// <param name="beginning">A text for which <see cref="IsBeginning"/> holds.</param>
    /// <exception cref="ArgumentException"><paramref name="beginning"/> is none: it must never reach a key.</exception>
    public static string KeysFor(string prefix, string beginning) => IsBeginning(beginning)
        ? prefix + KeyBegin + beginning
        : throw new ArgumentException("A hash begins with 4 to 64 lower-case hex digits.", nameof(beginning));

#pragma warning disable CA5351 // MD5 only finds the documents that the Go tool published; whoever can write to the bucket could replace them anyway. What is written is SHA-256.
    private static string Md5Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
}
