namespace Wunderproxy.Controller.Acme;

/// <summary>For which names certificates may be obtained because clients ask for them.</summary>
/// <param name="options">The list, and whom to ask.</param>
/// <param name="handler">How that one is reached.</param>
/// <param name="time">Clock of what was answered.</param>
internal sealed class NamePolicy(AcmeOptions options, HttpMessageHandler handler, TimeProvider time) : IDisposable
{
    private const int MostRemembered = 1000;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);

    private readonly HttpClient _http = new(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = 64 << 10 };
    private readonly Dictionary<string, (bool IsAllowed, long At)> _answers = new(StringComparer.Ordinal);

    /// <summary>Whether any name may be.</summary>
    public bool IsOpen => options.Allowed.Count > 0 || options.Ask is not null;

    /// <summary>Whether a name is among others, of which <c>*.shop.example</c> stands for every name below it.</summary>
    public static bool IsAmong(string host, IReadOnlyList<string> names) => names.Any(name => name.StartsWith("*.", StringComparison.Ordinal)
        ? host.Length > name.Length - 1 && host.EndsWith(name[1..], StringComparison.OrdinalIgnoreCase)
        : host.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a certificate may be obtained; what is asked is remembered for a minute. Not for two at a time.</summary>
    public async Task<bool> AllowsAsync(string host, CancellationToken cancellationToken)
    {
        if (IsAmong(host, options.Allowed))
        {
            return true;
        }

        if (options.Ask is not { } ask)
        {
            return false;
        }

        if (_answers.TryGetValue(host, out var known) && time.GetElapsedTime(known.At) < Memory)
        {
            return known.IsAllowed;
        }

        var isAllowed = await AskAsync(ask, host, cancellationToken);
        if (_answers.Count >= MostRemembered)
        {
            _answers.Clear();
        }

        _answers[host] = (isAllowed, time.GetTimestamp());
        return isAllowed;
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // Whoever can't be asked says no.
    private async Task<bool> AskAsync(Uri ask, string host, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        var separator = ask.Query.Length > 0 ? '&' : '?';
        try
        {
            using var response = await _http.GetAsync(new Uri($"{ask.AbsoluteUri}{separator}domain={Uri.EscapeDataString(host)}"), either.Token);
            return response.StatusCode is System.Net.HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
