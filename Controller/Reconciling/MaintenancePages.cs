using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>The page that the application offers for maintenance, kept on the disk so that it can be shown while the application is down.</summary>
/// <param name="path">Where it is kept.</param>
/// <param name="connections">How containers are reached.</param>
/// <param name="files">The file system.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class MaintenancePages(
    string path, HttpMessageHandler connections, IFileSystem files, TimeProvider time, ILogger<MaintenancePages> logger) : IDisposable
{
    private const int MaxBytes = 256 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly HttpMessageInvoker _http = new(connections, disposeHandler: false);
    private MaintenancePage? _page = Kept(files, path);

    /// <summary>The page fetched last; absent: the Proxy's own is shown.</summary>
    public MaintenancePage? Page => _page;

    /// <summary>Fetches the page of a running application. Where that fails, the former one stays.</summary>
    public async Task FetchAsync(string address, string? pagePath, CancellationToken cancellationToken)
    {
        if (pagePath is null)
            return;
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var body = await ReadAsync(new Uri($"http://{address}/{pagePath.TrimStart('/')}"), either.Token);
            DurableFile.WriteAtomically(path, Encoding.UTF8.GetBytes(body), files: files);
            _page = new MaintenancePage { Body = body };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidOperationException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogNotFetched(pagePath, exception.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    // One that can't be read any more is no reason not to start: the Proxy's own page is shown until the next one is fetched.
    private static MaintenancePage? Kept(IFileSystem files, string path)
    {
        try
        {
            return files.Read(path, MaxBytes) is { } page ? new MaintenancePage { Body = Encoding.UTF8.GetString(page) } : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task<string> ReadAsync(Uri address, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using var response = await _http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        await response.Content.LoadIntoBufferAsync(MaxBytes, cancellationToken);
        return await response.Content.ReadAsStringAsync(cancellationToken);
    }

    [LoggerMessage(340, LogLevel.Warning, "Could not fetch the maintenance page {Path}; the former one, or the Proxy's own, is shown. {Reason}")]
    private partial void LogNotFetched(string path, string reason);
}
