using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wunderproxy.Proxy.Control;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>The server behind the control socket.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    // All pages, if each of their characters is escaped, and all the rest.
    private const long MaxBodyBytes = 8 << 20;

    private readonly string _path;
    private readonly WebApplication _server;

    /// <param name="path">Path of the socket.</param>
    /// <param name="api">The calls.</param>
    /// <param name="loggers">Where it logs.</param>
    public ControlServer(string path, ControlApi api, ILoggerFactory loggers)
    {
        _path = path;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<SocketTransportOptions>(options => options.CreateBoundListenSocket = UnixSocket.Bind);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = MaxBodyBytes;
            options.ListenUnixSocket(path);
        });
        _server = builder.Build();
        _server.UseRouting();
        api.Map(_server);
        _server.UseEndpoints(_ => { });
    }

    /// <summary>Begins to listen.</summary>
    /// <exception cref="StartException">Another Proxy listens there, or the socket can't be made.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _server.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StartException(
                ExitCode.CannotBeControlled,
                $"The control socket {_path} can't be made: {e.GetBaseException().Message}. Another Proxy may use it; else name another one with --control.",
                e);
        }
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }

    // The process as a whole starts and stops it.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
