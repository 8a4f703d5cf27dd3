using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>Stands before a registry or an S3 server and answers in its place where <see cref="Fault"/> does.</summary>
internal sealed class HttpRelay : IAsyncDisposable
{
    private readonly WebApplication _listener;
    private readonly Uri _server;
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });

    private HttpRelay(WebApplication listener, Uri server)
    {
        _listener = listener;
        _server = server;
        listener.Run(RelayAsync);
    }

    /// <summary>Answers a request; false: the server does.</summary>
    public Func<HttpContext, Task<bool>>? Fault { get; set; }

    /// <summary>Requests that the fault has answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Where clients find it: on 127.0.0.1.</summary>
    public Uri Address => new(_listener.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<HttpRelay> StartAsync(Uri server)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var relay = new HttpRelay(builder.Build(), server);
        await relay._listener.StartAsync();
        return relay;
    }

    /// <summary>Answers a path with a status and a text.</summary>
    public static Func<HttpContext, Task<bool>> Answer(string path, int status, string text, params (string Name, string Value)[] headers) => async context =>
    {
        if (!context.Request.Path.Value!.Contains(path, StringComparison.Ordinal))
            return false;
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            context.Response.Headers[name] = value;
        await context.Response.WriteAsync(text, context.RequestAborted);
        return true;
    };

    /// <summary>Never answers a path.</summary>
    public static Func<HttpContext, Task<bool>> Hang(string path) => Delay(path, Timeout.InfiniteTimeSpan);

    /// <summary>Answers a path late.</summary>
    public static Func<HttpContext, Task<bool>> Delay(string path, TimeSpan delay) => async context =>
    {
        if (context.Request.Path.Value!.Contains(path, StringComparison.Ordinal))
            await Task.Delay(delay, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return context.RequestAborted.IsCancellationRequested;
    };

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero, TimeProvider.System);
        await _listener.StopAsync(now.Token);
        await _listener.DisposeAsync();
        _client.Dispose();
    }

    private async Task RelayAsync(HttpContext context)
    {
        if (Fault is { } fault && await fault(context))
        {
            Answered++;
            return;
        }

        try
        {
            await PassAsync(context);
        }
        catch (HttpRequestException)
        {
            // The server is away; whoever asked sees a connection that breaks.
            context.Abort();
        }
    }

    private async Task PassAsync(HttpContext context)
    {
        using var request = RequestOf(context);
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(h => h.Key != "Transfer-Encoding"))
            context.Response.Headers[name] = values.ToArray();
        if (context.Request.Method != HttpMethods.Head)
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    // Byte for byte as it came, the host included: it may be signed.
    private HttpRequestMessage RequestOf(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            new Uri($"{_server.GetLeftPart(UriPartial.Authority)}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (context.Request.ContentLength is not null || context.Request.Headers.ContainsKey("Transfer-Encoding"))
            request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers.Where(h => h.Key is not "Transfer-Encoding" and not "Connection"))
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }

        return request;
    }
}
