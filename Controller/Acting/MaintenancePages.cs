using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Durable;

namespace Wunderproxy.Controller.Acting;

/// <summary>The page that the application offers for maintenance, kept on the disk so that it can be shown while the application is down.</summary>
/// <param name="path">Where it is kept.</param>
/// <param name="client">Fetches it.</param>
/// <param name="files">The file system.</param>
/// <param name="logger">The log.</param>
internal sealed partial class MaintenancePages(
    string path, PageClient client, IFileSystem files, ILogger<MaintenancePages> logger)
{
    private MaintenancePage? _page = Kept(files, path);

    /// <summary>The page fetched last; absent: the Proxy's own is shown.</summary>
    public MaintenancePage? Page => _page;

    /// <summary>Fetches the page of a running application. Where that fails, the former one stays.</summary>
    public async Task FetchAsync(string address, LaunchConfiguration? configuration, CancellationToken cancellationToken)
    {
        if (configuration?.MaintenancePagePath() is not { } pagePath)
            return;
        try
        {
            var body = await client.FetchAsync(address, configuration.Protocol, pagePath, cancellationToken);
            if (body == _page?.Body)
                return;
            DurableFile.WriteAtomically(path, Encoding.UTF8.GetBytes(body), files: files);
            _page = new MaintenancePage { Body = body };
        }
        catch (Exception exception) when (PageClient.IsFailure(exception, cancellationToken))
        {
            LogNotFetched(pagePath, exception.Message);
        }
    }

    // One that can't be read any more is no reason not to start: the Proxy's own page is shown until the next one is fetched.
    private static MaintenancePage? Kept(IFileSystem files, string path)
    {
        try
        {
            return files.Read(path, PageClient.MaxBytes) is { } page ? new MaintenancePage { Body = Encoding.UTF8.GetString(page) } : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LoggerMessage(340, LogLevel.Warning, "Could not fetch the maintenance page {Path}; the former one, or the Proxy's own, is shown. {Reason}")]
    private partial void LogNotFetched(string path, string reason);
}
