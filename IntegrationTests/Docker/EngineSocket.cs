using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>An engine's socket whose answers the test decides; only the version is answered by itself.</summary>
internal sealed class EngineSocket : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-engine");
    private readonly WebApplication _server;
    private readonly RequestDelegate _answer;

    private EngineSocket(RequestDelegate answer)
    {
        _answer = answer;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(SocketPath, listen => listen.Protocols = HttpProtocols.Http1));
        _server = builder.Build();
        _server.Run(AnswerAsync);
    }

    public string Address => "unix://" + SocketPath;

    /// <summary>The version that it claims to speak.</summary>
    public string ApiVersion { get; set; } = "1.41";

    /// <summary>Method, path and query of each call but the question for the version.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Folder of Docker's own configuration file.</summary>
    public string ConfigDirectory => _directory.FullName;

    private string SocketPath => Path.Combine(_directory.FullName, "docker.sock");

    public static async Task<EngineSocket> AnswerAsync(RequestDelegate answer)
    {
        var socket = new EngineSocket(answer);
        await socket._server.StartAsync();
        return socket;
    }

    public static Task<EngineSocket> AnswerAsync(int status, string body) => AnswerAsync(context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body);
    });

    public DockerEngine Engine(TimeProvider? time = null) => new(
        EngineEndpoint.Parse(Address),
        new RegistryCredentials(ConfigDirectory, time ?? TimeProvider.System, NullLogger.Instance),
        new EngineDeadlines(),
        time ?? TimeProvider.System,
        NullLogger<DockerEngine>.Instance);

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _server.StopAsync(atOnce.Token);
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path == "/version")
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync($$"""{"Version":"20.10.24","ApiVersion":"{{ApiVersion}}"}""");
            return;
        }

        Calls.Add($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
        await _answer(context);
    }
}
