using System.Security.Cryptography;

namespace Wunderproxy.Contracts;

/// <summary>Names a published document by the digest of its exact bytes: 64 lower-case hex digits (SHA-256, what is written) or 32 (MD5, what the Go tool wrote).</summary>
public static class ContentHash
{
    private const int Md5Digits = 32;
    private const int Sha256Digits = 64;

    /// <summary>The SHA-256 of a document that is about to be written.</summary>
    /// <param name="bytes">Exactly the bytes that are stored, a final newline included.</param>
    /// <returns>64 lower-case hex digits.</returns>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Whether a text has the form of a hash: 32 or 64 lower-case hex digits and nothing else. Only such a text may become part of a key or a path.</summary>
    public static bool IsValid(string? hash) =>
        hash is { Length: Md5Digits or Sha256Digits } && hash.All(char.IsAsciiHexDigitLower);

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
        ? $"{prefix}/container.{hash}.json"
        : throw new ArgumentException("A hash is 32 or 64 lower-case hex digits.", nameof(hash));

#pragma warning disable CA5351 // MD5 only finds the documents that the Go tool published; whoever can write to the bucket could replace them anyway. What is written is SHA-256.
    private static string Md5Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(MD5.HashData(bytes));
#pragma warning restore CA5351
}
