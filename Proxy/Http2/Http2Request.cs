using System.Net;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Relaying;

namespace Wunderproxy.Proxy.Http2;

/// <summary>A request as the application gets it by HTTP/2.</summary>
internal sealed class Http2Request : IFieldSink
{
    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpRequestMessage _message;

    private Http2Request(HttpRequestMessage message) => _message = message;

    /// <summary>Puts it together.</summary>
    /// <param name="exchange">The request, which was checked.</param>
    /// <param name="address">The target's address.</param>
    /// <param name="body">Its body; absent: it has none.</param>
    public static HttpRequestMessage Of(Exchange exchange, string address, HttpContent? body)
    {
        var target = RequestChecks.TargetOf(exchange.Context, exchange.StrippedPrefix);
        var message = new HttpRequestMessage
        {
            Method = HttpMethod.Parse(exchange.Context.Request.Method),
            RequestUri = new Uri(string.Concat("http://", address, target.StartsWith("/") ? "" : "/", target), AsItIs),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        RequestHead.WriteFields(exchange, new Http2Request(message));
        return message;
    }

    /// <summary>Whether a request names a host, and its message doesn't: the standard client leaves out names that it doesn't take for one.</summary>
    public static bool LacksHost(HttpRequestMessage message, HttpRequest request) => message.Headers.Host is null && request.Headers.Host.Count > 0;

    /// <inheritdoc/>
    public void WriteField(string name, ReadOnlySpan<char> value)
    {
        var text = value.ToString();
        if (!_message.Headers.TryAddWithoutValidation(name, text))
        {
            // What is said about a body stands with the body, even where there is none.
            _message.Content ??= new ByteArrayContent([]);
            _message.Content.Headers.TryAddWithoutValidation(name, text);
        }
    }
}
