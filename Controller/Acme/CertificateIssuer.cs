using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Acme;

/// <summary>Takes an order from where it is to its end, be it one that another host has begun.</summary>
/// <param name="client">The server.</param>
/// <param name="account">Who orders.</param>
/// <param name="store">The documents.</param>
/// <param name="options">How certificates are obtained.</param>
/// <param name="announce">Makes the Proxy of this host answer the challenges that are in the documents. Those of other hosts look them up when they are asked.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Source of the jitter.</param>
/// <param name="logger">Where it tells.</param>
internal sealed partial class CertificateIssuer(
    AcmeClient client, AcmeAccount account, AcmeStore store, AcmeOptions options, Func<Stored<CertificateDocument>, CancellationToken, Task> announce, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan OrderDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan ShortestLook = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(10);

    private string Directory => options.Directory.AbsoluteUri;

    /// <summary>Orders a certificate, or goes on with the order that there is.</summary>
    /// <param name="known">What is known of the host's certificate.</param>
    /// <param name="start">The document to begin with.</param>
    /// <param name="cancellationToken">Ends it where it is; another one goes on there.</param>
    /// <returns>What is so now, a failure included; absent: somebody else is at it.</returns>
    public async Task<IssueResult> IssueAsync(Stored<CertificateDocument> known, CertificateDocument start, CancellationToken cancellationToken)
    {
        var work = new Work(known, start);
        try
        {
            return await IssueAsync(work, cancellationToken) ? new IssueResult(work.Known, null) : new IssueResult(null, null);
        }
        catch (AcmeException e)
        {
            if (e.Is("accountDoesNotExist"))
            {
                await account.ForgetAsync(cancellationToken);
            }

            return await FailAsync(work, e, cancellationToken);
        }
        catch (ProxyException e)
        {
            return await FailAsync(work, new AcmeException(e.Message, e), cancellationToken);
        }
    }

    /// <summary>Asks the server when it wants a certificate to be renewed.</summary>
    /// <returns>What is so now; absent: somebody else is at it.</returns>
    public async Task<IssueResult> AskAsync(Stored<CertificateDocument> known, StoredCertificate certificate, CancellationToken cancellationToken)
    {
        var asked = certificate;
        var now = time.GetUtcNow();
        try
        {
            var url = (await client.DirectoryAsync(cancellationToken)).RenewalInfo;
            var answer = url is null || Renewal.IdOf(certificate.Chain) is not { } id ? null : await client.RenewalInfoAsync(url, id, cancellationToken);
            asked = answer is null ? certificate with { AskAt = null } : certificate with
            {
                RenewAt = Renewal.Within(answer.Body.SuggestedWindow, certificate.RenewAt, certificate.IssuedAt, certificate.NotAfter, random.NextDouble()),
                AskAt = now + Renewal.AskAfter(answer.RetryAfter),
            };
        }
        catch (AcmeException e)
        {
            // What was planned holds; it is well before the certificate ends.
            asked = certificate with { AskAt = now + Renewal.AskAfter(e.RetryAfter) };
        }

        if (asked.RenewAt != certificate.RenewAt)
        {
            LogMoved(known.Document!.Host, asked.RenewAt);
        }

        return new IssueResult(await SaveAsync(known, known.Document! with { Certificate = asked }, cancellationToken), null);
    }

    private async Task<bool> IssueAsync(Work work, CancellationToken cancellationToken)
    {
        work.Account = await account.SignerAsync(cancellationToken);
        if (work.Document.Order is null && !await OrderAsync(work, cancellationToken))
        {
            return false;
        }

        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < OrderDeadline)
        {
            var order = await ReadOrderAsync(work, cancellationToken);
            var step = CertificatePlan.Next(order.Body, null, ChallengesOf(work.Document), work.IsAnswered);
            if (step is OrderStep.Look look)
            {
                var authorization = await client.ReadAsync(work.Account, look.Authorization, AcmeJson.Default.AuthorizationResource, cancellationToken);
                step = CertificatePlan.Next(order.Body, authorization.Body, ChallengesOf(work.Document), work.IsAnswered);
            }

            switch (step)
            {
                case OrderStep.Answer answer:
                    if (!await AnswerAsync(work, answer.Challenge, cancellationToken))
                    {
                        return false;
                    }

                    break;
                case OrderStep.Finalize finalize:
                    await client.FinalizeAsync(work.Account, finalize.Url, RequestFor(work.Document), cancellationToken);
                    break;
                case OrderStep.Download download:
                    return await TakeAsync(work, await client.DownloadAsync(work.Account, download.Url, cancellationToken), cancellationToken);
                case OrderStep.Fail fail:
                    throw new AcmeException(fail.Why) { Problem = new AcmeProblem(Detail: fail.Why), EndsOrder = true };
                default:
                    await Task.Delay(LookAfter(order.RetryAfter), time, cancellationToken);
                    break;
            }
        }

        throw new AcmeException($"The order {work.Document.Order!.Url} got nowhere within {OrderDeadline.TotalSeconds} s; it is looked at again.");
    }

    private async Task<bool> OrderAsync(Work work, CancellationToken cancellationToken)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var url = await NewOrderAsync(work, cancellationToken);
        LogOrdered(work.Document.Host, Directory);
        return await SaveAsync(
            work, work.Document with { Directory = Directory, Order = new StoredOrder { Url = url, Key = key.ExportPkcs8PrivateKeyPem(), At = time.GetUtcNow() } }, cancellationToken);
    }

    private async Task<string> NewOrderAsync(Work work, CancellationToken cancellationToken)
    {
        var replaced = work.Document.Certificate is { } certificate && certificate.Directory == Directory && (await client.DirectoryAsync(cancellationToken)).RenewalInfo is not null
            ? Renewal.IdOf(certificate.Chain)
            : null;
        try
        {
            return await client.NewOrderAsync(work.Account!, work.Document.Host, replaced, cancellationToken);
        }
        catch (AcmeException e) when (replaced is not null && e.Is("alreadyReplaced", "malformed", "unauthorized", "serverInternal"))
        {
            // To say what it replaces is a courtesy.
            return await client.NewOrderAsync(work.Account!, work.Document.Host, null, cancellationToken);
        }
    }

    // One that the server doesn't know any more, as after it was set up anew, is ordered anew.
    private async Task<AcmeAnswer<OrderResource>> ReadOrderAsync(Work work, CancellationToken cancellationToken)
    {
        try
        {
            return await client.ReadAsync(work.Account!, work.Document.Order!.Url, AcmeJson.Default.OrderResource, cancellationToken);
        }
        catch (AcmeException e) when (e.Status is >= 400 and < 500 && !e.IsLimit)
        {
            throw new AcmeException(e.Message, e) { Problem = e.Problem, Status = e.Status, EndsOrder = true };
        }
    }

    private async Task<bool> AnswerAsync(Work work, ChallengeResource challenge, CancellationToken cancellationToken)
    {
        var order = work.Document.Order! with { Challenge = challenge.Type, Token = challenge.Token };
        if (!await SaveAsync(work, work.Document with { Order = order }, cancellationToken))
        {
            return false;
        }

        await announce(work.Known, cancellationToken);
        await client.AnswerAsync(work.Account!, challenge.Url, cancellationToken);
        work.IsAnswered = true;
        return true;
    }

    private async Task<bool> TakeAsync(Work work, string chain, CancellationToken cancellationToken)
    {
        var certificate = Read(work.Document, chain);
        var hasWishes = (await client.DirectoryAsync(cancellationToken)).RenewalInfo is not null;
        var renewAt = Renewal.AtTwoThirds(certificate.NotBefore, certificate.NotAfter, random.NextDouble());
        var stored = certificate with { RenewAt = renewAt, AskAt = hasWishes ? time.GetUtcNow() : null };
        var isTaken = await SaveAsync(work, work.Document with { Certificate = stored, Order = null, Failures = 0, LastError = null, NextTry = null }, cancellationToken);
        if (isTaken)
        {
            LogObtained(work.Document.Host, stored.NotAfter, renewAt);
        }

        return isTaken;
    }

    // What isn't for the host, or for its key, would be of no use in the place of what there is.
    private StoredCertificate Read(CertificateDocument document, string chain)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain, document.Order!.Key);
            var isFor = certificate.MatchesHostname(document.Host, allowWildcards: false, allowCommonName: false);
            return isFor && certificate.NotAfter.ToUniversalTime() > time.GetUtcNow() ? new StoredCertificate
            {
                Directory = Directory,
                Chain = chain,
                Key = document.Order.Key,
                Fingerprint = Convert.ToHexStringLower(SHA256.HashData(certificate.RawDataMemory.Span)),
                IssuedAt = time.GetUtcNow(),
                NotBefore = certificate.NotBefore.ToUniversalTime(),
                NotAfter = certificate.NotAfter.ToUniversalTime(),
                RenewAt = default,
            }
            : throw new CryptographicException(isFor ? "It has expired already: look at the clock of this host." : "It is for another host.");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new AcmeException($"What the server has issued for {document.Host} can't be used: {e.Message}", e) { Problem = new AcmeProblem(Detail: e.Message), EndsOrder = true };
        }
    }

    private async Task<IssueResult> FailAsync(Work work, AcmeException failure, CancellationToken cancellationToken)
    {
        var failures = work.Document.Failures + 1;
        var pause = PauseAfter(failure, failures);
        var document = work.Document with
        {
            Directory = Directory,
            Order = failure.EndsOrder ? null : work.Document.Order,
            Failures = failures,
            LastError = failure.Message,
            NextTry = time.GetUtcNow() + pause,
        };
        LogFailed(
            document.Host, failures, document.NextTry.Value, failure.Message,
            document.Certificate is { } former ? $"The former one stays in force, valid until {former.NotAfter:u}." : "There is none yet.");
        return new IssueResult(await SaveAsync(work.Known, document, cancellationToken), failure.IsLimit ? AcmeBackoff.PauseOfAll(pause) : null);
    }

    private TimeSpan PauseAfter(AcmeException failure, int failures)
    {
        if (failure.IsLimit)
        {
            return AcmeBackoff.AfterLimit(failure.RetryAfter);
        }

        return failure.Problem is null || failure.Is("accountDoesNotExist", "badNonce", "serverInternal")
            ? AcmeBackoff.After(failures, options.AwayRetry, options.LongestAwayRetry, random.NextDouble())
            : AcmeBackoff.After(failures, options.FirstRetry, options.LongestRetry, random.NextDouble());
    }

    // What failed is not tried again in the same way.
    private IReadOnlyList<string> ChallengesOf(CertificateDocument document) => document.Order?.Challenge is { } chosen
        ? [chosen]
        : [.. options.Challenges.Skip(document.Failures % options.Challenges.Count), .. options.Challenges.Take(document.Failures % options.Challenges.Count)];

    private static string RequestFor(CertificateDocument document)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(document.Order!.Key);
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(document.Host);
        request.CertificateExtensions.Add(names.Build());
        return Base64Url.EncodeToString(request.CreateSigningRequest());
    }

    private static TimeSpan LookAfter(TimeSpan? wanted) => wanted is not { } pause || pause < ShortestLook ? ShortestLook : pause > LongestLook ? LongestLook : pause;

    private async Task<bool> SaveAsync(Work work, CertificateDocument document, CancellationToken cancellationToken)
    {
        if (await SaveAsync(work.Known, document, cancellationToken) is not { } saved)
        {
            return false;
        }

        (work.Known, work.Document) = (saved, document);
        return true;
    }

    private Task<Stored<CertificateDocument>?> SaveAsync(Stored<CertificateDocument> known, CertificateDocument document, CancellationToken cancellationToken) =>
        store.WriteAsync(store.KeyOf(document.Host), known, document, AcmeDocumentsJson.Default.CertificateDocument, cancellationToken);

    [LoggerMessage(600, LogLevel.Information, "Obtained a certificate for {Host}, valid until {NotAfter:u}, to be renewed at {RenewAt:u}")]
    private partial void LogObtained(string host, DateTimeOffset notAfter, DateTimeOffset renewAt);

    [LoggerMessage(601, LogLevel.Warning, "Could not obtain a certificate for {Host}, {Failures} times in a row; it is tried again at {NextTry:u}. {Reason} {Consequence}")]
    private partial void LogFailed(string host, int failures, DateTimeOffset nextTry, string reason, string consequence);

    [LoggerMessage(602, LogLevel.Information, "Ordered a certificate for {Host} at {Directory}")]
    private partial void LogOrdered(string host, string directory);

    [LoggerMessage(603, LogLevel.Information, "Moved the renewal of the certificate for {Host} to {RenewAt:u}, as its issuer suggests")]
    private partial void LogMoved(string host, DateTimeOffset renewAt);

    private sealed class Work(Stored<CertificateDocument> known, CertificateDocument document)
    {
        public Stored<CertificateDocument> Known { get; set; } = known;

        public CertificateDocument Document { get; set; } = document;

        public AcmeSigner Account { get; set; } = null!;

        public bool IsAnswered { get; set; }
    }
}

/// <summary>What came of an attempt.</summary>
/// <param name="Known">What is so now; absent: somebody else is at it.</param>
/// <param name="Pause">For how long the server is to be left alone by everybody; absent: it needn't.</param>
internal sealed record IssueResult(Stored<CertificateDocument>? Known, TimeSpan? Pause);
