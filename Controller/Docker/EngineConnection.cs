using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using global::Docker.DotNet;
using global::Docker.DotNet.NativeHttp;

namespace Wunderproxy.Controller.Docker;

/// <summary>The connection of one call to the engine, and whether it came about.</summary>
/// <remarks>
/// Each call has a connection of its own, for two reasons. HttpClient silently repeats a request without a body when its connection ends
/// before an answer; on a shared pool a start that the engine may have executed would then end as "connection refused", which says that
/// nothing happened. And a long call (pull, stop, events) can't keep a short one waiting. A connect over the socket costs some 50 µs.
/// </remarks>
internal sealed class EngineConnection(EngineEndpoint endpoint, TimeSpan connectDeadline, TimeProvider time) : IDisposable
{
    // The host part is never resolved: every connection goes to the endpoint.
    private static readonly Uri Base = new("http://docker-engine/");

    private readonly List<IDisposable> _clients = [];

    /// <summary>Whether the engine was reached: whatever fails afterwards may have been executed.</summary>
    public bool Reached { get; private set; }

    /// <summary>Why it wasn't.</summary>
    public Exception? ConnectFailure { get; private set; }

    /// <param name="apiVersion">Absent: the engine's newest.</param>
    public DockerClient Client(Version? apiVersion)
    {
        var client = new DockerClientBuilder()
            .WithEndpoint(Base)
            .WithApiVersion(apiVersion)
            .WithTimeout(Timeout.InfiniteTimeSpan)
            .WithTransportOptions(new NativeHttpTransportOptions { ConfigureHandler = Configure })
            .Build();
        _clients.Add(client);
        return client;
    }

    /// <summary>A call that Docker.DotNet doesn't offer, its answer still to be read.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="pathAndQuery">Below the API version, escaped.</param>
    /// <param name="body">Sent as it is.</param>
    /// <param name="apiVersion">The version that is spoken.</param>
    /// <param name="cancellationToken">Ends the wait for the headers.</param>
    /// <exception cref="DockerApiException">An answer other than 2xx.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string pathAndQuery, JsonObject? body, Version apiVersion, CancellationToken cancellationToken)
    {
        var handler = new SocketsHttpHandler();
        Configure(handler);
        var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _clients.Add(http);

        using var request = new HttpRequestMessage(method, new Uri(Base, $"v{apiVersion}/{pathAndQuery}"));
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }

        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new DockerApiException(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
    }

    public void Dispose() => _clients.ForEach(client => client.Dispose());

    private void Configure(SocketsHttpHandler handler)
    {
        handler.UseProxy = false;
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.AutomaticDecompression = DecompressionMethods.None;
        handler.ActivityHeadersPropagator = null;
        handler.ConnectTimeout = Timeout.InfiniteTimeSpan;
        handler.ConnectCallback = async (_, cancellationToken) => await ConnectAsync(cancellationToken);
    }

    private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        if (Reached)
        {
            throw new IOException("The engine ended the connection without an answer.");
        }

        using var deadline = new CancellationTokenSource(connectDeadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            var stream = await endpoint.ConnectAsync(either.Token);
            Reached = true;
            return stream;
        }
        catch (Exception failure)
        {
            ConnectFailure = failure;
            throw new IOException("The engine isn't reached.", failure);
        }
    }
}
