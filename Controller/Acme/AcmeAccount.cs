using System.Security.Cryptography;

namespace Wunderproxy.Controller.Acme;

/// <summary>The account, which all hosts of an application share.</summary>
/// <remarks>Its key is in the store before the server sees it: whoever makes the account, be it several hosts at once, makes the same one.</remarks>
internal sealed partial class AcmeAccount(AcmeStore store, AcmeClient client, AcmeOptions options, ILogger logger)
{
    private const int Attempts = 5;

    private volatile Stored<AccountDocument> _known = Stored<AccountDocument>.Absent;

    /// <summary>Thumbprint of its key; absent: there is none yet.</summary>
    public string? Thumbprint { get; private set; }

    /// <summary>Reads it from the store.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken) =>
        Know(await store.ReadAsync(store.AccountKey, _known.Document is null ? null : _known, AcmeDocumentsJson.Default.AccountDocument, cancellationToken));

    /// <summary>The account, made if there is none, with the contact that is wanted.</summary>
    public async Task<AcmeSigner> SignerAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            await RefreshAsync(cancellationToken);
            if (_known.Document is { Url: not null } document && document.Directory == options.Directory.AbsoluteUri && document.Contact.SequenceEqual(options.Contact))
            {
                return new AcmeSigner(KeyOf(document), document.Url);
            }

            await ChangeAsync(await NextAsync(cancellationToken), cancellationToken);
        }

        throw new AcmeException($"Other hosts change the account all the time: {store.AccountKey}. Give all hosts the same --acme-directory and --acme-email.");
    }

    /// <summary>Forgets where the account is, for the server doesn't know it any more; it is made anew with the same key.</summary>
    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        if (_known.Document is { } document)
        {
            await ChangeAsync(document with { Url = null }, cancellationToken);
        }
    }

    // First the key alone, then the account for it.
    private async Task<AccountDocument> NextAsync(CancellationToken cancellationToken)
    {
        if (_known.Document is not { } document || document.Directory != options.Directory.AbsoluteUri)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return new AccountDocument { Directory = options.Directory.AbsoluteUri, Key = key.ExportPkcs8PrivateKeyPem(), Contact = options.Contact };
        }

        if (document.Url is null)
        {
            var made = await client.NewAccountAsync(KeyOf(document), options.Contact, cancellationToken);
            LogMade(made);
            return document with { Url = made, Contact = options.Contact };
        }

        await client.ChangeContactAsync(new AcmeSigner(KeyOf(document), document.Url), options.Contact, cancellationToken);
        return document with { Contact = options.Contact };
    }

    // Where somebody else was faster, the next look tells what is so.
    private async Task ChangeAsync(AccountDocument changed, CancellationToken cancellationToken)
    {
        if (await store.WriteAsync(store.AccountKey, _known, changed, AcmeDocumentsJson.Default.AccountDocument, cancellationToken) is { } written)
        {
            Know(written);
        }
    }

    private void Know(Stored<AccountDocument> known)
    {
        if (known != _known)
        {
            _known = known;
            using var key = known.Document is { } document && document.Directory == options.Directory.AbsoluteUri ? KeyOf(document) : null;
            Thumbprint = key is null ? null : JsonWebSignature.Thumbprint(key);
        }
    }

    private static ECDsa KeyOf(AccountDocument document)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(document.Key);
        return key;
    }

    [LoggerMessage(604, LogLevel.Information, "Made the ACME account {Account}, or found it")]
    private partial void LogMade(string account);
}
