using System.Runtime.InteropServices;

namespace Wunderproxy.SampleApplication;

/// <summary>Ends the application on SIGTERM, after the requests in flight; or is deaf to it.</summary>
/// <remarks>It takes the place of the host's own lifetime, which stops on SIGTERM whatever else is registered for that signal.</remarks>
internal sealed class Lifetime(Settings settings, IHostApplicationLifetime host) : IHostLifetime, IDisposable
{
    private volatile bool _deaf = settings.IgnoreSigterm;
    private PosixSignalRegistration? _sigterm;

    /// <summary>From now on SIGTERM is ignored, or heard again.</summary>
    public void IgnoreSigterm(bool ignore) => _deaf = ignore;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _sigterm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSigterm);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _sigterm?.Dispose();

    private void OnSigterm(PosixSignalContext signal)
    {
        signal.Cancel = true;
        Console.WriteLine(_deaf ? "SIGTERM ignored" : "SIGTERM: finishing the requests in flight");
        if (!_deaf)
            host.StopApplication();
    }
}
