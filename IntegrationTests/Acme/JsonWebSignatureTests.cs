using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Wunderproxy.Controller.Acme;

namespace Wunderproxy.IntegrationTests.Acme;

public sealed class JsonWebSignatureTests : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void Request_is_signed_over_header_and_payload_and_names_key_or_account()
    {
        var first = JsonNode.Parse(JsonWebSignature.Sign(_key, null, "n1", "https://acme.test/new-account", "{}"u8))!;
        var later = JsonNode.Parse(JsonWebSignature.Sign(_key, "https://acme.test/account/1", "n2", "https://acme.test/order/1", []))!;

        Assert.Equal(["alg", "jwk", "nonce", "url"], HeaderOf(first).Select(member => member.Key));
        Assert.Equal(["alg", "kid", "nonce", "url"], HeaderOf(later).Select(member => member.Key));
        Assert.Equal(("{}", ""), (Decoded(first, "payload"), Decoded(later, "payload")));
        Assert.All([first, later], request => Assert.True(_key.VerifyData(
            Encoding.ASCII.GetBytes($"{request["protected"]}.{request["payload"]}"), Base64Url.DecodeFromChars(request["signature"]!.GetValue<string>()), HashAlgorithmName.SHA256)));
    }

    [Fact]
    public void Thumbprint_is_that_of_the_public_part_alone()
    {
        using var known = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint
            {
                // RFC 7517, appendix A.1; the thumbprint was computed with openssl.
                X = Base64Url.DecodeFromChars("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"),
                Y = Base64Url.DecodeFromChars("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
            },
        });

        Assert.Equal("cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s", JsonWebSignature.Thumbprint(known));
    }

    private static JsonObject HeaderOf(JsonNode request) => JsonNode.Parse(Decoded(request, "protected"))!.AsObject();

    private static string Decoded(JsonNode request, string member) => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(request[member]!.GetValue<string>()));
}
