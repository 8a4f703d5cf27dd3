using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>The key that the hosts of an application sign the cookies of a canary with. The first host that needs it makes it and keeps it in the store, for a load balancer may send a client to any of them.</summary>
/// <param name="store">The store.</param>
/// <param name="prefix">Prefix of the application's keys.</param>
/// <param name="make">Makes 32 random bytes.</param>
internal sealed class CanaryKeys(IObjectStore store, string prefix, Func<byte[]> make)
{
    private const int MaxBytes = 4 << 10;

    private string Document => $"{prefix}/canary.json";

    /// <summary>Reads the key, or makes it where there is none yet.</summary>
    /// <exception cref="StoreException">It can be neither read nor written, or what is there is none.</exception>
    public async Task<SigningKey> ReadOrMakeAsync(CancellationToken cancellationToken)
    {
        if (await ReadAsync(cancellationToken) is { } known)
            return known;
        try
        {
            var made = new SigningKey(Convert.ToBase64String(make()));
            await store.PutAsync(Document, JsonSerializer.SerializeToUtf8Bytes(made, CanaryKeyJson.Default.SigningKey), PutCondition.Absent, cancellationToken);
        }
        catch (StoreException exception) when (exception.Fault is StoreFault.Ambiguous)
        {
            // What is there now is the key, whoever has written it.
        }

        return await ReadAsync(cancellationToken) ?? throw new StoreException(StoreFault.Unavailable, $"'{Document}' in {store.Description} was written, and isn't there.");
    }

    private async Task<SigningKey?> ReadAsync(CancellationToken cancellationToken)
    {
        var read = await store.GetAsync(Document, ifNoneMatch: null, MaxBytes, cancellationToken);
        return read.Status is StoreReadStatus.NotFound ? null : Parse(read.Content.Span);
    }

    // Nothing of what is in it may be told.
    private SigningKey Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonSerializer.Deserialize(json, CanaryKeyJson.Default.SigningKey) is { Base64: { } text } key && Convert.FromBase64String(text).Length == Canary.KeyBytes)
                return key;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            // It is none.
        }

        throw new StoreException(StoreFault.Unavailable, $"'{Document}' in {store.Description} is no key. Restore it, or remove it: it is made anew then.");
    }
}

/// <summary>JSON of the key, source generated.</summary>
[JsonSerializable(typeof(SigningKey))]
internal sealed partial class CanaryKeyJson : JsonSerializerContext;
