using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Wunderproxy.Controller.Events;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.Controller.Api;

/// <summary>How the admin API is served.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Token">What those show who change something; absent: only callers on this host may.</param>
internal sealed record AdminApiSettings(ListenAddress Address, ApiToken? Token = null)
{
    /// <summary>Adds further calls, which ask others than the reconciler; absent: there are none.</summary>
    public Action<IEndpointRouteBuilder>? Further { get; init; }
}

/// <summary>The admin API, listening.</summary>
internal sealed partial class AdminApi : IAsyncDisposable
{
    private const int MaxConnections = 256;
    private const int MaxHeaderBytes = 16 << 10;
    private static readonly TimeSpan HeaderDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(5);

    private readonly WebApplication _server;
    private readonly TimeProvider _time;

    private AdminApi(WebApplication server, TimeProvider time) => (_server, _time) = (server, time);

    /// <summary>The address as it was bound, such as <c>http://127.0.0.1:8001</c>.</summary>
    public string BoundAddress => _server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Starts to listen.</summary>
    /// <param name="settings">Where, and who may change something.</param>
    /// <param name="operations">What the calls ask.</param>
    /// <param name="started">Ends once there is something to ask; calls before that are answered 503.</param>
    /// <param name="time">Clock of the deadlines.</param>
    /// <param name="loggers">Receives what goes wrong.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static async Task<AdminApi> StartAsync(
        AdminApiSettings settings, IOperations operations, Task started, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // The empty builder reads neither ASPNETCORE_ variables nor settings files, and leaves signals alone.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, settings.Address));

        var server = builder.Build();
        var logger = loggers.CreateLogger<AdminApi>();
        server.Use(next => Guarded(next, started, logger));
        server.UseRouting();
        Map(server, operations, new CallerCheck(settings.Token), time, server.Lifetime.ApplicationStopping);
        settings.Further?.Invoke(server);

        try
        {
            await ListenAsync(server, settings.Address, cancellationToken);
            return new AdminApi(server, time);
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Every call.</summary>
    internal static void Map(IEndpointRouteBuilder routes, IOperations operations, CallerCheck callers, TimeProvider time, CancellationToken stopping)
    {
        new AdminCalls(operations, callers, time, stopping).Map(routes);
        new ExplainCalls(operations, callers).Map(routes);
        new DrainCalls(operations, callers).Map(routes);
        new EventCalls(new EventFeed(operations, time), time, stopping).Map(routes);
        PageCalls.Map(routes);
    }

    /// <summary>The calls, with a problem document for whatever goes wrong in them, and before there is something to ask.</summary>
    internal static RequestDelegate Guarded(RequestDelegate calls, Task started, ILogger logger) => new ProblemGuard(
        context => started.IsCompletedSuccessfully || PageCalls.AreAt(context.Request.Path) ? calls(context) : throw new ProblemException(Problems.Starting()), logger).InvokeAsync;

    /// <summary>Ends waiting calls with a location to follow, then stops to listen.</summary>
    public async ValueTask DisposeAsync()
    {
        using var deadline = new CancellationTokenSource(StopDeadline, _time);
        await _server.StopAsync(deadline.Token);
        await _server.DisposeAsync();
    }

    private static void Configure(KestrelServerOptions kestrel, ListenAddress address)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = OrderBody.CapBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        kestrel.Limits.RequestHeadersTimeout = HeaderDeadline;
        kestrel.Limits.KeepAliveTimeout = IdleLimit;
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        switch (address)
        {
            case ListenAddress.Tcp tcp:
                kestrel.Listen(tcp.EndPoint);
                break;
            case ListenAddress.Unix unix:
                kestrel.ListenUnixSocket(unix.SocketPath);
                break;
        }
    }

    private static async Task ListenAsync(WebApplication server, ListenAddress address, CancellationToken cancellationToken)
    {
        try
        {
            if (address is not ListenAddress.Unix { SocketPath: var path })
            {
                await server.StartAsync(cancellationToken);
                return;
            }

            await RemoveStaleSocketAsync(path, cancellationToken);
            await server.StartAsync(cancellationToken);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            throw ListenException.From(address, e);
        }
    }

    // A killed Controller leaves its socket file behind; one that somebody answers on is theirs.
    private static async Task RemoveStaleSocketAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // There is none; whatever else is wrong, listening will say it.
        }
    }
}
