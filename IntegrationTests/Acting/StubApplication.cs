using System.Net;

namespace Wunderproxy.IntegrationTests.Acting;

/// <summary>An application that answers with the pages that it has, and with 404 to all else.</summary>
internal sealed class StubApplication : HttpMessageHandler
{
    public Dictionary<string, string> Pages { get; } = [];

    /// <summary>What was asked for.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Whether nobody answers.</summary>
    public bool IsDown { get; set; }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Asked.Add($"{request.RequestUri}");
        if (IsDown)
            return Task.FromException<HttpResponseMessage>(new HttpRequestException("Connection refused"));
        return Task.FromResult(Pages.TryGetValue(request.RequestUri!.PathAndQuery, out var page)
            ? new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(page) }
            : new HttpResponseMessage(HttpStatusCode.NotFound));
    }
}
