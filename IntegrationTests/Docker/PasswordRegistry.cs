using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>Stands before a registry and asks for a name and a password.</summary>
internal sealed class PasswordRegistry : IAsyncDisposable
{
    public const string User = "ci";
    public const string Password = "hunter2";

    private readonly HttpClient _registry;
    private readonly WebApplication _server;

    private PasswordRegistry(string registry)
    {
        _registry = new HttpClient { BaseAddress = new Uri($"http://{registry}") };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _server = builder.Build();
        _server.Run(AnswerAsync);
    }

    public static string Auth => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));

    /// <summary>Host and port.</summary>
    public string Address => new Uri(_server.Urls.First()).Authority;

    public static async Task<PasswordRegistry> StartAsync(string registry)
    {
        var guarded = new PasswordRegistry(registry);
        await guarded._server.StartAsync();
        return guarded;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _registry.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization != "Basic " + Auth)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"lab\"";
            await context.Response.WriteAsJsonAsync(new { errors = new[] { new { code = "UNAUTHORIZED", message = "authentication required" } } });
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), context.Request.Path + context.Request.QueryString);
        request.Headers.TryAddWithoutValidation("Accept", context.Request.Headers.Accept.ToArray());
        using var response = await _registry.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        context.Response.ContentLength = response.Content.Headers.ContentLength;
        if (response.Headers.TryGetValues("Docker-Content-Digest", out var digest))
            context.Response.Headers["Docker-Content-Digest"] = digest.ToArray();
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
