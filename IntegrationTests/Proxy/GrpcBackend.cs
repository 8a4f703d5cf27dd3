using System.Net;
using System.Text;
using System.Threading.Channels;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>An application that speaks HTTP/2 without TLS, and gRPC: the server of that name for ASP.NET Core.</summary>
internal sealed class GrpcBackend : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<ServerCallContext> _calls = Channel.CreateUnbounded<ServerCallContext>();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _server;

    private GrpcBackend(string name) => Name = name;

    /// <summary>What it answers with.</summary>
    public string Name { get; }

    public IPEndPoint Address { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>Messages of <see cref="GrpcCalls.Listen"/>.</summary>
    public Channel<string> Messages { get; } = Channel.CreateUnbounded<string>();

    /// <summary>Ends when calls that wait may go on.</summary>
    public Task Released => _released.Task;

    /// <summary>Answers all requests that are no calls.</summary>
    public RequestDelegate Answer { get; set; } = static context => context.Response.WriteAsync($"{context.Request.Method} {context.Request.Protocol}");

    /// <param name="name">What it answers with.</param>
    /// <param name="port">Where it listens; zero: anywhere.</param>
    /// <param name="protocol">What it speaks; calls need HTTP/2.</param>
    public static async Task<GrpcBackend> StartAsync(string name = "one", int port = 0, HttpProtocols protocol = HttpProtocols.Http2)
    {
        var backend = new GrpcBackend(name);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(new IPEndPoint(IPAddress.Loopback, port), listen => listen.Protocols = protocol);
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        });
        builder.Services.AddRouting().AddLogging().AddSingleton(backend).AddGrpc(options => options.MaxReceiveMessageSize = null);
        backend._server = builder.Build();
        backend._server.UseWebSockets();
        backend._server.UseRouting();
        backend._server.MapGrpcService<GrpcCalls>();
        backend._server.MapFallback(context => backend.Answer(context));
        await backend._server.StartAsync();
        backend.Address = IPEndPoint.Parse(backend._server.Urls.Single().Split("//")[1]);
        return backend;
    }

    /// <summary>What the latest call came with.</summary>
    public Metadata Headers { get; private set; } = [];

    public void Begin(ServerCallContext call)
    {
        Headers = call.RequestHeaders;
        _calls.Writer.TryWrite(call);
    }

    public void End() => _ended.TrySetResult();

    /// <summary>The next call that has reached it.</summary>
    public Task<ServerCallContext> CalledAsync() => _calls.Reader.ReadAsync().AsTask().WaitAsync(Limit, TimeProvider.System);

    /// <summary>Waits until a call of <see cref="GrpcCalls.Listen"/> has ended.</summary>
    public Task EndedAsync(TimeSpan limit) => _ended.Task.WaitAsync(limit, TimeProvider.System);

    /// <summary>Lets calls that wait go on.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Breaks all connections off, and listens no more.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server!.StopAsync(now.Token);
        await _server.DisposeAsync();
    }
}
