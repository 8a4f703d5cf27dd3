using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Tls;

/// <summary>One certificate of the folder: what is in force, and what is wrong with its files.</summary>
/// <param name="name">Its name.</param>
/// <param name="isAutomatic">Whether the Controller obtains it.</param>
internal sealed class CertificateEntry(string name, bool isAutomatic = false)
{
    private static readonly TimeSpan LongestNotice = TimeSpan.FromDays(14);
    private static readonly TimeSpan WarnInterval = TimeSpan.FromDays(1);

    // A certificate for some days would else be complained about all the time.
    private const int LastPartOfLife = 6;

    private (FileStamp Chain, FileStamp Key)? _seen;
    private string? _failure;
    private bool _isMissing;
    private DateTimeOffset? _warnedAt;
    private DateTimeOffset _since;

    /// <summary>Whether the Controller obtains it.</summary>
    public bool IsAutomatic => isAutomatic;

    /// <summary>What handshakes are made with; absent: none of its files could be used so far.</summary>
    public ServerCertificate? InForce { get; private set; }

    /// <summary>Whether others may read or change its key.</summary>
    public bool HasOpenKey => _seen is { Key.IsOpen: true };

    /// <summary>Whether its files have been away at two looks: links are replaced by taking them away for a moment.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Looks at the files, and takes the certificate in them if they have changed and it can be used.</summary>
    /// <returns>What has happened; absent: nothing.</returns>
    public CertificateEvent? Look(CertificateFiles files, DateTimeOffset now)
    {
        (_isMissing, IsGone) = (false, false);
        try
        {
            var stamps = (FileStamp.Of(files.Chain), FileStamp.Of(files.Key));
            if (stamps == _seen)
            {
                return null;
            }

            var read = Take(ServerCertificate.Read(files), now);
            _seen = stamps;
            return read;
        }
        catch (Exception e) when (e is CertificateException or IOException or UnauthorizedAccessException)
        {
            // Tried again at each look: that a file may be read now, or a key is there, its stamp need not tell.
            _seen = null;
            return Refuse(e.Message);
        }
    }

    /// <summary>Notes that none of its files is there.</summary>
    public void Miss()
    {
        IsGone = _isMissing;
        _isMissing = true;
    }

    /// <summary>Whether it is time to say that it ends soon, or has: once a day.</summary>
    public bool IsToBeWarnedOf(DateTimeOffset now)
    {
        var isDue = InForce is { } certificate && now >= NoticeOf(certificate) && !(now - _warnedAt < WarnInterval);
        _warnedAt = isDue ? now : _warnedAt;
        return isDue;
    }

    /// <summary>Its state, for whoever asks.</summary>
    public CertificateStatus Report(DateTimeOffset now) => new()
    {
        Name = name,
        Hosts = InForce?.Names ?? [],
        NotBefore = InForce?.NotBefore,
        NotAfter = InForce?.NotAfter,
        Since = InForce is null ? null : _since,
        Problem = _failure ?? ProblemOf(InForce!, now) ?? (HasOpenKey ? "Others may read or write its key. Let its owner read it only: chmod 600." : null),
    };

    private string Remedy => isAutomatic ? "It wasn't renewed; the Controller's status says why." : "Replace its files.";

    private CertificateEvent.Taken Take(ServerCertificate read, DateTimeOffset now)
    {
        if (read.NotAfter <= now && InForce?.NotAfter > now)
        {
            throw new CertificateException($"It expired at {read.NotAfter:u}.");
        }

        (InForce, _since, _failure, _warnedAt) = (read, now, null, null);
        return new CertificateEvent.Taken(read);
    }

    private CertificateEvent.Refused? Refuse(string failure)
    {
        var isNew = failure != _failure;
        _failure = failure;
        return isNew ? new CertificateEvent.Refused(failure, InForce) : null;
    }

    private string? ProblemOf(ServerCertificate certificate, DateTimeOffset now) => certificate switch
    {
        _ when now >= certificate.NotAfter => $"It has expired. {Remedy}",
        _ when now < certificate.NotBefore => "It isn't valid yet.",
        _ when now >= NoticeOf(certificate) => $"It expires soon. {Remedy}",
        _ => null,
    };

    private static DateTimeOffset NoticeOf(ServerCertificate certificate)
    {
        var lastPart = (certificate.NotAfter - certificate.NotBefore) / LastPartOfLife;
        return certificate.NotAfter - (lastPart < LongestNotice ? lastPart : LongestNotice);
    }
}

/// <summary>What a look at a certificate's files has found.</summary>
internal abstract record CertificateEvent
{
    private CertificateEvent()
    {
    }

    /// <summary>It is in force from now on.</summary>
    public sealed record Taken(ServerCertificate Certificate) : CertificateEvent;

    /// <summary>Its files can't be used.</summary>
    /// <param name="Problem">Why.</param>
    /// <param name="InForce">What stays in force; absent: nothing.</param>
    public sealed record Refused(string Problem, ServerCertificate? InForce) : CertificateEvent;
}
