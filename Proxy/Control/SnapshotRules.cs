using System.Buffers;
using System.Net;
using System.Text;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Proxy.Control;

/// <summary>What a message to the control API must be like, beyond its JSON.</summary>
internal static class SnapshotRules
{
    private const string LettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int TokenHashDigits = 64;
    private static readonly SearchValues<char> NameChars = SearchValues.Create(LettersAndDigits + "._-");
    private static readonly SearchValues<char> HostChars = SearchValues.Create(LettersAndDigits + "._-*");
    private static readonly SearchValues<char> HeaderNameChars = SearchValues.Create(LettersAndDigits + "!#$%&'*+-.^_`|~");
    private static readonly TimeSpan LongestDrain = TimeSpan.FromHours(24);
    private static readonly TimeSpan LongestHold = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestProbe = TimeSpan.FromMinutes(5);

    /// <summary>Finds what is wrong with a snapshot.</summary>
    /// <param name="application">The name in the call's path.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <returns>One sentence for each mistake, with the member's name.</returns>
    public static IEnumerable<string> Mistakes(string application, ApplicationSnapshot snapshot)
    {
        if (snapshot.Application != application)
        {
            yield return $"Application is '{snapshot.Application}', but the path says '{application}'.";
        }

        foreach (var mistake in Mistakes(application, snapshot.Installation))
        {
            yield return mistake;
        }

        foreach (var mistake in Mistakes(snapshot.DrainTimeout, snapshot.StreamDrainTimeout))
        {
            yield return mistake;
        }

        if (snapshot.HoldTimeout > LongestHold)
        {
            yield return "HoldTimeout is longer than 5m.";
        }

        if (snapshot.SlowAfter is { } slow && (slow <= TimeSpan.Zero || slow > Limits.Longest))
        {
            yield return "SlowAfter must be more than 0 and at most 24h.";
        }

        foreach (var mistake in Mistakes(snapshot.Limits))
        {
            yield return mistake;
        }

        foreach (var mistake in snapshot.Buffering is { } buffering ? Mistakes(buffering) : [])
        {
            yield return mistake;
        }

        if (snapshot.Compression is { } compression && (compression.Types.Count > Compression.MaxTypes || compression.Types.Any(type => !type.Contains('/', StringComparison.Ordinal))))
        {
            yield return $"Compression.Types must be at most {Compression.MaxTypes} media types.";
        }

        foreach (var mistake in Mistakes(snapshot.Routing))
        {
            yield return mistake;
        }

        if (snapshot.Tls?.Hsts is { } hsts && (hsts.MaxAgeDays is < 0 or > Hsts.LongestDays || hsts.IsPreloadedInVain))
        {
            yield return $"Tls.Hsts must have MaxAgeDays from 0 to {Hsts.LongestDays}, and with Preload IncludeSubdomains and {Hsts.PreloadDays} days at least.";
        }

        foreach (var mistake in snapshot.Target is { } target ? Mistakes(target) : [])
        {
            yield return mistake;
        }

        foreach (var mistake in snapshot.Standby is { } standby ? Mistakes(standby).Select(mistake => $"Standby.{mistake}") : [])
        {
            yield return mistake;
        }

        foreach (var mistake in (snapshot.Maintenance is { } page ? Mistakes(page) : []).Concat(Mistakes(snapshot.ErrorPages)))
        {
            yield return mistake;
        }
    }

    private static IEnumerable<string> Mistakes(ErrorPages pages)
    {
        if (pages.Pages.Count > ErrorPages.MaxPages || pages.Pages.Keys.Any(key => !ErrorPages.IsKey(key)))
        {
            yield return $"ErrorPages.Pages must be at most {ErrorPages.MaxPages} pages by a status from 400 to 599, or by 4xx or 5xx.";
        }

        var sizes = pages.Pages.Values.Select(Encoding.UTF8.GetByteCount).ToList();
        if (sizes.Any(size => size > ErrorPages.MaxPageBytes) || sizes.Sum() > ErrorPages.MaxBytes)
        {
            yield return "ErrorPages.Pages has a page larger than 256 KiB, or has more than 1 MiB together.";
        }
    }

    /// <summary>Finds what is wrong with an order about a drain.</summary>
    public static IEnumerable<string> Mistakes(string application, DrainRequest request)
    {
        foreach (var mistake in Mistakes(application, request.Installation).Concat(Mistakes(request.DrainTimeout, request.StreamDrainTimeout)))
        {
            yield return mistake;
        }

        if (request.ContainerId is { } id && string.IsNullOrWhiteSpace(id))
        {
            yield return "ContainerId is empty; leave it out for every container.";
        }

        if (request.End == (request.DrainTimeout is not null || request.StreamDrainTimeout is not null))
        {
            yield return "Expected either End, or DrainTimeout or StreamDrainTimeout or both of these.";
        }
    }

    /// <summary>Finds what is wrong with the names in a call.</summary>
    public static IEnumerable<string> Mistakes(string application, string installation)
    {
        if (application.Length is 0 or > 64 || !char.IsAsciiLetterOrDigit(application[0]) || application.AsSpan().ContainsAnyExcept(NameChars))
        {
            yield return "The application's name must be 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first.";
        }

        if (string.IsNullOrWhiteSpace(installation))
        {
            yield return "Installation is empty.";
        }
    }

    private static IEnumerable<string> Mistakes(TimeSpan? drain, TimeSpan? streamDrain)
    {
        foreach (var (name, limit) in new[] { (nameof(DrainRequest.DrainTimeout), drain), (nameof(DrainRequest.StreamDrainTimeout), streamDrain) })
        {
            if (limit > LongestDrain)
            {
                yield return $"{name} is longer than 24h.";
            }
        }
    }

    private static IEnumerable<string> Mistakes(Limits limits)
    {
        foreach (var (name, limit) in new[] { (nameof(Limits.AnswerTimeout), limits.AnswerTimeout), (nameof(Limits.IdleTimeout), limits.IdleTimeout) })
        {
            if (limit < Limits.Shortest || limit > Limits.Longest)
            {
                yield return $"Limits.{name} must be from 1s to 24h.";
            }
        }

        if (limits.MaxRequestsInFlight is < 1 or > Limits.MostInFlight)
        {
            yield return $"Limits.MaxRequestsInFlight must be 1 to {Limits.MostInFlight}.";
        }

        if (limits.MaxQueued is < 0 or > Limits.MostQueued)
        {
            yield return $"Limits.MaxQueued must be 0 to {Limits.MostQueued}.";
        }

        if (limits.QueueTimeout > Limits.LongestQueue)
        {
            yield return "Limits.QueueTimeout is longer than 5m.";
        }
    }

    private static IEnumerable<string> Mistakes(Buffering buffering)
    {
        if (buffering.Memory is < Buffering.LeastMemory or > Buffering.MostMemory)
        {
            yield return "Buffering.Memory must be from 64KiB to 64MiB.";
        }
    }

    private static IEnumerable<string> Mistakes(Routing routing)
    {
        if (routing.Hosts.Count > Routing.MaxHosts || routing.Hosts.Any(host => host.Length == 0 || host.AsSpan().ContainsAnyExcept(HostChars)))
        {
            yield return $"Routing.Hosts must be at most {Routing.MaxHosts} host names without ports.";
        }

        if (!routing.PathPrefix.StartsWith('/') || routing.PathPrefix.AsSpan().ContainsAnyExceptInRange('\x21', '\x7E') || (routing.PathPrefix.Length > 1 && routing.PathPrefix.EndsWith('/')))
        {
            yield return "Routing.PathPrefix must be whole segments with a slash before each, such as /shop.";
        }
    }

    private static IEnumerable<string> Mistakes(Target target)
    {
        if (!IPEndPoint.TryParse(target.Address, out var address) || address.Port == 0)
        {
            yield return $"Target.Address is '{target.Address}'; expected an IP address and a port, such as 172.30.0.2:9292.";
        }

        var probe = target.Probe;
        if (!probe.Path.StartsWith('/') || probe.Path.AsSpan().ContainsAnyExceptInRange('\x21', '\x7E'))
        {
            yield return "Target.Probe.Path must begin with a slash and have no spaces or control characters.";
        }

        if (!StatusRanges.TryParse(probe.ExpectedStatus, out _))
        {
            yield return $"Target.Probe.ExpectedStatus is '{probe.ExpectedStatus}'; expected codes and ranges, such as 200-299,304.";
        }

        if (probe.Timeout <= TimeSpan.Zero || probe.Timeout > LongestProbe)
        {
            yield return "Target.Probe.Timeout must be above 0 and at most 5m.";
        }

        if (probe.Headers.Append(new("Host", probe.Host)).FirstOrDefault(header => !IsHeader(header.Key, header.Value)).Key is { } name)
        {
            yield return $"Target.Probe has a header that can't be sent: '{name}'.";
        }
    }

    private static IEnumerable<string> Mistakes(Standby standby)
    {
        foreach (var mistake in Mistakes(standby.Target).Concat(Mistakes(standby.DrainTimeout, standby.StreamDrainTimeout)))
        {
            yield return mistake;
        }

        foreach (var mistake in standby.Preview is { } preview ? Mistakes(preview) : [])
        {
            yield return mistake;
        }

        if (standby.Canary is { } canary && (canary.Percent is < 1 or > 100 || canary.Key.Length != Canary.KeyBytes || (canary.Header is { } name && !IsHeader(name, ""))))
        {
            yield return $"Canary must have Percent from 1 to 100, a Key of {Canary.KeyBytes} bytes, and a Header that can be sent.";
        }
    }

    private static IEnumerable<string> Mistakes(Preview preview)
    {
        if (preview.TokenHashes.Count > Preview.MaxTokens || preview.TokenHashes.Any(hash => hash.Length != TokenHashDigits || !ContentHash.IsValid(hash)))
        {
            yield return $"Preview.TokenHashes must be at most {Preview.MaxTokens} times {TokenHashDigits} lower-case hex digits.";
        }

        if (preview.Hosts.Count > Preview.MaxHosts || preview.Hosts.Any(host => host.Length == 0 || host.AsSpan().ContainsAnyExcept(HostChars)))
        {
            yield return $"Preview.Hosts must be at most {Preview.MaxHosts} host names without ports.";
        }

        if (preview.Clients.Count > Preview.MaxClients || preview.Clients.Any(network => !IPNetwork.TryParse(network, out _)))
        {
            yield return $"Preview.Clients must be at most {Preview.MaxClients} networks, such as 10.0.0.0/8.";
        }
    }

    private static IEnumerable<string> Mistakes(MaintenancePage page)
    {
        if (Encoding.UTF8.GetByteCount(page.Body ?? "") > ErrorPages.MaxPageBytes)
        {
            yield return "Maintenance.Body is larger than 256 KiB.";
        }

        if (!IsHeader("Content-Type", page.ContentType))
        {
            yield return "Maintenance.ContentType can't be sent as a header.";
        }
    }

    private static bool IsHeader(string name, string value) =>
        name.Length > 0 && !name.AsSpan().ContainsAnyExcept(HeaderNameChars) && !value.AsSpan().ContainsAnyExceptInRange('\x20', '\xFF') && !value.Contains('\x7F', StringComparison.Ordinal);
}
