using System.Buffers;
using System.Buffers.Binary;

namespace Wunderproxy.Proxy.Clients;

/// <summary>The name of one request, by which it is found in the logs of everybody that it came by. 1 to 128 characters that need no escaping anywhere.</summary>
internal readonly struct RequestId
{
    /// <summary>The header that carries it.</summary>
    public const string Header = "X-Request-Id";

    /// <summary>The longest one that is taken over, and the room that <see cref="Write"/> needs.</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.~+/=:@");

    private readonly string? _given;
    private readonly ulong _high;
    private readonly ulong _low;

    /// <summary>One that somebody in front has made.</summary>
    /// <param name="given">The name, which <see cref="IsSane"/>.</param>
    public RequestId(string given) => _given = given;

    /// <summary>One that is made here: 32 hexadecimal digits.</summary>
    public RequestId(ulong high, ulong low) => (_high, _low) = (high, low);

    /// <summary>Whether it was made or taken over.</summary>
    public bool IsSet => _given is not null || (_high | _low) != 0;

    /// <summary>Whether a name can be taken over: it is neither empty nor long, and means nothing to whoever writes or reads it.</summary>
    public static bool IsSane(string? name) => name is { Length: > 0 and <= MaxLength } && !name.AsSpan().ContainsAnyExcept(Characters);

    /// <summary>Writes it.</summary>
    /// <param name="text">At least <see cref="MaxLength"/> characters.</param>
    /// <returns>Those that were written.</returns>
    public ReadOnlySpan<char> Write(Span<char> text)
    {
        if (_given is not null)
        {
            _given.CopyTo(text);
            return text[.._given.Length];
        }

        Span<byte> bytes = stackalloc byte[2 * sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[sizeof(ulong)..], _low);
        _ = Convert.TryToHexStringLower(bytes, text, out var length);
        return text[..length];
    }

    /// <inheritdoc/>
    public override string ToString() => _given ?? Write(stackalloc char[MaxLength]).ToString();
}
