using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>The page that the application offers for maintenance, kept on the disk so that it can be shown while the application is down.</summary>
internal sealed partial class MaintenancePages(string path, TimeProvider time, ILogger<MaintenancePages> logger) : IDisposable
{
    private const int MaxBytes = 256 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { MaxResponseContentBufferSize = MaxBytes };
    private MaintenancePage? _page = File.Exists(path) ? new MaintenancePage { Body = File.ReadAllText(path) } : null;

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
            var body = await _http.GetStringAsync(new Uri($"http://{address}/{pagePath.TrimStart('/')}"), either.Token);
            DurableFile.WriteAtomically(path, Encoding.UTF8.GetBytes(body));
            _page = new MaintenancePage { Body = body };
        }
        catch (Exception exception) when (exception is HttpRequestException or DurableWriteException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LogNotFetched(pagePath, exception.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    [LoggerMessage(340, LogLevel.Warning, "Could not fetch the maintenance page {Path}; the former one, or the Proxy's own, is shown. {Reason}")]
    private partial void LogNotFetched(string path, string reason);
}
