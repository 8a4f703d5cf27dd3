using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace Wunderproxy.Controller.Store;

/// <summary>The AWS SDK's client, set up for Amazon S3 and for the servers that speak its protocol.</summary>
internal static class S3Client
{
    private const string DefaultRegion = "us-east-1";

    private static readonly TimeSpan ConnectDeadline = TimeSpan.FromSeconds(3);

    // So that a changed address of the server is noticed.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>The connections of a client. It follows no redirect to another host, and leaves deadlines to its callers.</summary>
    public static HttpClient CreateConnections()
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectDeadline,
            PooledConnectionLifetime = ConnectionLifetime,
        };
        return new HttpClient(new DirectCalls(sockets)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Makes a client; contacts nothing.</summary>
    /// <exception cref="ArgumentException">The endpoint is no http or https URL, or contains credentials.</exception>
    public static AmazonS3Client Create(StoreOptions options, HttpClient connections)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.PathStyle,
            HttpClientFactory = new SharedConnections(connections),

            // A write repeated after a lost answer would meet its own result and report that the condition did not hold. Callers look again anyway.
            MaxErrorRetry = 0,

            // Checksum trailers are unknown to other servers; documents are hashed and the SDK signs payloads.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        SetPlace(config, options);
        return options.Credentials is { } credentials ? new AmazonS3Client(credentials, config) : new AmazonS3Client(config);
    }

    private static void SetPlace(AmazonS3Config config, StoreOptions options)
    {
        var region = options.Region ?? FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName ?? DefaultRegion;
        if (options.Endpoint is not { } endpoint)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            return;
        }

        RequireUsable(endpoint);
        config.ServiceURL = endpoint.AbsoluteUri;
        config.AuthenticationRegion = region;
    }

    private static void RequireUsable(Uri endpoint)
    {
        if (!endpoint.IsAbsoluteUri || endpoint.Scheme is not ("http" or "https") || endpoint.UserInfo.Length > 0)
        {
            throw new ArgumentException("The S3 endpoint must be a URL such as https://s3.example.com, without credentials in it: those belong into the environment or a profile.");
        }
    }

    /// <summary>Makes the SDK use one pool of connections for all calls.</summary>
    private sealed class SharedConnections(HttpClient connections) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => connections;

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;
    }

    /// <summary>Sends bodies unasked, and refuses redirects to another host: the SDK would follow them with a signed request and the document.</summary>
    private sealed class DirectCalls(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // The SDK asks before each body; a document is smaller than the question is slow, and some servers never answer it.
            request.Headers.ExpectContinue = false;
            var response = await base.SendAsync(request, cancellationToken);
            if (response.StatusCode is HttpStatusCode.NotModified || response.Headers.Location is not { IsAbsoluteUri: true } location
                || location.Authority == request.RequestUri?.Authority)
            {
                return response;
            }

            response.Dispose();
            throw new HttpRequestException($"it redirects to '{location.Authority}', which was not followed");
        }
    }
}
