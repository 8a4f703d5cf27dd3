using System.Collections.Immutable;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Acme;

/// <summary>
/// Knows what is answered to those who validate hosts, and who asks for what isn't here. An order may have been made by another host, of which the Controller of this one learns a moment
/// later; so whoever asks for what is missing waits, while the Controller, which is told of it at its next call, looks it up.
/// </summary>
/// <param name="time">Clock of the waits.</param>
internal sealed class AcmeDesk(TimeProvider time)
{
    private const int MostWaiting = 100;

    // Validators give up after some 10 s, and so does a handshake here.
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(8);

    private readonly Lock _lock = new();
    private readonly List<Waiting> _waiting = [];
    private volatile ImmutableDictionary<string, AcmeSettings> _applications = ImmutableDictionary<string, AcmeSettings>.Empty;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether any application has automatic certificates.</summary>
    public bool IsUsed => !_applications.IsEmpty;

    /// <summary>Takes what an application says, in the place of what it has said before.</summary>
    /// <returns>Why it isn't taken; absent: it is.</returns>
    public string? Set(string application, AcmeSettings settings)
    {
        lock (_lock)
        {
            foreach (var (other, theirs) in _applications.Where(entry => entry.Key != application))
            {
                if (SharedBy(settings, theirs) is { } shared)
                {
                    return $"Application '{application}' may not have automatic certificates for {shared}: application '{other}' has. Leave Tls.Automatic to one of them.";
                }
            }

            _applications = _applications.SetItem(application, settings);
            Wake();
            return null;
        }
    }

    /// <summary>Forgets what an application has said.</summary>
    public void Remove(string application)
    {
        lock (_lock)
        {
            _applications = _applications.Remove(application);
            Wake();
        }
    }

    /// <summary>Lets those look again who wait for a certificate.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Whose certificate a host's is; absent: it is nobody's.</summary>
    public string? ApplicationOf(ReadOnlySpan<char> host) => Find(host)?.Application;

    /// <summary>The hosts that somebody waits for, of one application.</summary>
    /// <param name="application">Its name.</param>
    /// <param name="isCertificate">Whether for a certificate, or for a challenge.</param>
    public IReadOnlyList<string> WaitedFor(string application, bool isCertificate)
    {
        lock (_lock)
        {
            return [.. _waiting.Where(entry => entry.IsCertificate == isCertificate && ApplicationOf(entry.Host) == application).Select(entry => entry.Host).Distinct()];
        }
    }

    /// <summary>The answer to a request for the token of an HTTP-01 challenge.</summary>
    /// <returns>Absent: there is none.</returns>
    /// <remarks>Source: RFC 8555, sections 8.1 and 8.3.</remarks>
    public async ValueTask<string?> AnswerAsync(string host, string token, CancellationToken cancellationToken)
    {
        var thumbprint = await WaitAsync(new Waiting(host, false), () => Find(host)?.Settings.AccountThumbprint, cancellationToken);
        return thumbprint is null ? null : $"{token}.{thumbprint}";
    }

    /// <summary>What is proven in a handshake for a TLS-ALPN-01 challenge.</summary>
    /// <returns>The key authorization; absent: there is no open challenge of that host.</returns>
    public ValueTask<string?> ProofAsync(string host, CancellationToken cancellationToken) => WaitAsync(
        new Waiting(host, false),
        () => Find(host) is { Settings: { AccountThumbprint: { } thumbprint } settings } && settings.Tokens.TryGetValue(host, out var token) ? $"{token}.{thumbprint}" : null,
        cancellationToken);

    /// <summary>Waits for a certificate that is obtained because somebody asks for it.</summary>
    /// <param name="host">What it is for.</param>
    /// <param name="choose">Looks for it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<T?> CertificateAsync<T>(string host, Func<string, T?> choose, CancellationToken cancellationToken)
        where T : class => Find(host) is { Settings.OnDemand: true }
            ? WaitAsync(new Waiting(host, true), () => choose(host), cancellationToken)
            : ValueTask.FromResult<T?>(null);

    // A name in the public tree: letters, digits and hyphens, and at least one dot.
    private static bool IsName(string host) => host.Length <= 253 && host.Contains('.') && !char.IsAsciiDigit(host[^1])
        && host.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-'));

    private async ValueTask<T?> WaitAsync<T>(Waiting waiting, Func<T?> look, CancellationToken cancellationToken)
        where T : class
    {
        if (look() is { } found)
        {
            return found;
        }

        if (!TryEnter(waiting))
        {
            return null;
        }

        try
        {
            return await LookUntilAsync(look, cancellationToken);
        }
        finally
        {
            Leave(waiting);
        }
    }

    private async Task<T?> LookUntilAsync<T>(Func<T?> look, CancellationToken cancellationToken)
        where T : class
    {
        using var over = new CancellationTokenSource(WaitLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
            }

            if (look() is { } found)
            {
                return found;
            }

            await changed.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            if (over.IsCancellationRequested)
            {
                return null;
            }
        }
    }

    private bool TryEnter(Waiting waiting)
    {
        lock (_lock)
        {
            if (_waiting.Count >= MostWaiting || !IsName(waiting.Host) || ApplicationOf(waiting.Host) is null)
            {
                return false;
            }

            _waiting.Add(waiting);
            return true;
        }
    }

    private void Leave(Waiting waiting)
    {
        lock (_lock)
        {
            _waiting.Remove(waiting);
        }
    }

    // The closest claim counts, as it does for requests: a name, then the longest wildcard, then every host.
    private (string Application, AcmeSettings Settings)? Find(ReadOnlySpan<char> host)
    {
        (string Application, AcmeSettings Settings)? closest = null;
        var length = -1;
        foreach (var (application, settings) in _applications)
        {
            foreach (var claimed in settings.Hosts)
            {
                if (new RequestPlace(host, "/").IsWithin(claimed, "/") && LengthOf(claimed) > length)
                {
                    (closest, length) = ((application, settings), LengthOf(claimed));
                }
            }

            if (settings.Hosts.Count == 0 && length < 0)
            {
                (closest, length) = ((application, settings), 0);
            }
        }

        return closest;
    }

    private static int LengthOf(string claimed) => claimed.StartsWith('*') ? claimed.Length : int.MaxValue;

    private static string? SharedBy(AcmeSettings one, AcmeSettings other) => (one.Hosts.Count, other.Hosts.Count) switch
    {
        (0, 0) => "every host",
        _ => one.Hosts.Intersect(other.Hosts, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } host ? $"'{host}'" : null,
    };

    private sealed record Waiting(string Host, bool IsCertificate);
}
