using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Controller.Acting;

/// <summary>Fetches pages from running applications: 256 KiB at most, within 2 s.</summary>
/// <param name="connections">How containers are reached.</param>
/// <param name="time">Clock of the limit.</param>
internal sealed class PageClient(HttpMessageHandler connections, TimeProvider time) : IDisposable
{
    /// <summary>Size of the largest page.</summary>
    public const int MaxBytes = ErrorPages.MaxPageBytes;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly HttpMessageInvoker _http = new(connections, disposeHandler: false);

    /// <summary>Whether an exception says that a page couldn't be fetched or kept, rather than that nobody waits for it any more.</summary>
    public static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException or InvalidOperationException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>Fetches a page.</summary>
    /// <param name="address">Address and port of the application.</param>
    /// <param name="protocol">What the application speaks.</param>
    /// <param name="path">Path of the page, with or without a slash at its beginning.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="HttpRequestException">The application isn't reached, has no such page, or it is too large.</exception>
    /// <exception cref="OperationCanceledException">The time is over.</exception>
    public async Task<string> FetchAsync(string address, ApplicationProtocol protocol, string path, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{address}/{path.TrimStart('/')}"))
        {
            Version = protocol.ToHttpVersion(),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await _http.SendAsync(request, either.Token);
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxBytes, either.Token);
        return await response.Content.ReadAsStringAsync(either.Token);
    }

    public void Dispose() => _http.Dispose();
}
