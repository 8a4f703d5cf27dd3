using Wunderproxy.Contracts.Admin;
using Wunderproxy.Controller.Durable;
using Wunderproxy.Controller.ProxyClient;

namespace Wunderproxy.Controller.Remembering;

/// <summary>Fetches from the Proxy how the traffic went, keeps it, and tells it. The Proxy remembers the seconds for 10 minutes, so nothing is lost while the Controller is away for less.</summary>
/// <param name="application">Name of the application.</param>
/// <param name="proxy">The Proxy.</param>
/// <param name="path">Where it is kept, without the slots' suffixes.</param>
/// <param name="files">The file system.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
internal sealed partial class TrafficKeeper(string application, IProxyTraffic proxy, string path, IFileSystem files, TimeProvider time, ILogger<TrafficKeeper> logger) : ITraffic, IDisposable
{
    private static readonly TimeSpan FetchInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SaveInterval = TimeSpan.FromMinutes(1);

    // However many ask for it, the Proxy is asked once a second at most.
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _one = new(1);
    private TrafficFile? _file;
    private TrafficHistory _history = new();
    private long? _fetched;
    private bool _isUnsaved;
    private bool _isSaveFailing;

    /// <inheritdoc/>
    public async Task<TrafficDocument> ReportAsync(int minutes, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            Load();
            if (_fetched is not { } fetched || time.GetElapsedTime(fetched) >= Freshness)
                await FetchAsync(cancellationToken);
            return _history.Report(minutes, time.GetUtcNow());
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Fetches each 10 s and saves each minute what is new, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var saved = time.GetTimestamp();
        try
        {
            while (true)
            {
                await RoundAsync(time.GetElapsedTime(saved) >= SaveInterval, cancellationToken);
                saved = _isUnsaved ? saved : time.GetTimestamp();
                await Task.Delay(FetchInterval, time, cancellationToken);
            }
        }
        finally
        {
            await _one.WaitAsync(CancellationToken.None);
            Save();
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task RoundAsync(bool isSaveDue, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            Load();
            await FetchAsync(cancellationToken);
            if (isSaveDue)
                Save();
        }
        finally
        {
            _one.Release();
        }
    }

    // Not before it is needed: the start has other things to do.
    private void Load()
    {
        if (_file is not null)
            return;
        _file = new TrafficFile(path, files);
        _history = _file.Load(out var problem);
        if (problem is not null)
            LogNotLoaded(problem);
    }

    // That the Proxy is lost is told by those who need it; here it only means that nothing is new.
    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            var from = _history.AskFrom;
            if (await proxy.GetTrafficAsync(application, from, cancellationToken) is { } recent)
                _isUnsaved |= _history.Take(recent, from);
        }
        catch (ProxyException)
        {
        }

        _fetched = time.GetTimestamp();
    }

    private void Save()
    {
        if (!_isUnsaved || _file is null)
            return;
        try
        {
            _file.Save(_history);
            (_isUnsaved, _isSaveFailing) = (false, false);
        }
        catch (DurableWriteException exception)
        {
            if (!_isSaveFailing)
                LogNotSaved(exception.Message);
            _isSaveFailing = true;
        }
    }

    [LoggerMessage(350, LogLevel.Warning, "Could not read the history of the traffic; it begins anew. {Reason}")]
    private partial void LogNotLoaded(string reason);

    [LoggerMessage(351, LogLevel.Warning, "Could not keep the history of the traffic on the disk; it is tried again each minute. {Reason}")]
    private partial void LogNotSaved(string reason);
}
