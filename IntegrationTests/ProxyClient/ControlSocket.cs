using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.ProxyClient;

/// <summary>A control socket whose answers the test decides.</summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-control");
    private readonly WebApplication _server;

    private ControlSocket(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Path, listen => listen.Protocols = HttpProtocols.Http1));
        _server = builder.Build();
        _server.Run(async context =>
        {
            Calls.Add($"{context.Request.Method} {context.Request.Path}");
            await answer(context);
        });
    }

    public string Path => System.IO.Path.Combine(_directory.FullName, "proxy.sock");

    public List<string> Calls { get; } = [];

    public static async Task<ControlSocket> AnswerAsync(RequestDelegate answer)
    {
        var socket = new ControlSocket(answer);
        await socket._server.StartAsync();
        return socket;
    }

    public static Task<ControlSocket> AnswerAsync(int status, string body) => AnswerAsync(context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    });

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
