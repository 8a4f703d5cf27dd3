namespace Wunderproxy.Proxy.Tls;

/// <summary>What can be told of TLS from the bytes on the wire. Source: RFC 8446, sections 5 and 6.</summary>
internal static class TlsRecord
{
    /// <summary>Bytes that are looked at to tell whether a connection ends: more than any alert takes.</summary>
    public const int LongestAlert = 128;

    private const byte Alert = 21;
    private const byte HandshakeRecord = 22;
    private const byte ApplicationData = 23;
    private const int Header = 5;

    // In TLS 1.3 all records look like application data: two bytes of alert, their type, and a tag of 16 bytes.
    private const int EncryptedAlert = 2 + 1 + 16;

    /// <summary>A fatal alert before anything is encrypted: no certificate is here for the name that the client asks for. Source: RFC 6066, section 3.</summary>
    public static ReadOnlyMemory<byte> UnrecognizedName { get; } = new byte[] { Alert, 3, 3, 0, 2, 2, 112 };

    /// <summary>Whether a client that begins so speaks TLS.</summary>
    public static bool IsHandshake(byte first) => first == HandshakeRecord;

    /// <summary>Whether what is unread is nothing, or one alert: behind it the client has no more to say.</summary>
    /// <param name="unread">At least the first <see cref="LongestAlert"/> bytes of it.</param>
    public static bool IsEnd(ReadOnlySpan<byte> unread) => unread.IsEmpty || (unread.Length > Header && IsAlert(unread) && unread.Length == Header + LengthIn(unread));

    private static bool IsAlert(ReadOnlySpan<byte> record) => record[0] == Alert || (record[0] == ApplicationData && LengthIn(record) == EncryptedAlert);

    private static int LengthIn(ReadOnlySpan<byte> record) => (record[3] << 8) | record[4];
}
