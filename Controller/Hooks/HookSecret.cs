using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Wunderproxy.Controller.Hooks;

/// <summary>The key by which a webhook knows that a call is ours.</summary>
internal sealed class HookSecret(string text)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(text);

    /// <summary>Value of <c>Wunderproxy-Signature</c>: <c>t=SECONDS,v1=HEX</c>, the HMAC-SHA256 (RFC 2104) of the seconds since 1970, a dot and the body. The time keeps an old call from being told again.</summary>
    public string Sign(ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signature = HMACSHA256.HashData(_key, (byte[])[.. Encoding.ASCII.GetBytes(seconds + "."), .. body]);
        return $"t={seconds},v1={Convert.ToHexStringLower(signature)}";
    }

    public override string ToString() => "(secret)";
}
