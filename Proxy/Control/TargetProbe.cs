using System.Buffers;
using System.Globalization;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Proxy.Control;

/// <summary>Asks a target whether it is healthy, on a connection of its own.</summary>
/// <param name="time">Clock of the limits.</param>
/// <param name="connect">Makes the connections of one probe: <see cref="Direct"/>.</param>
internal sealed class TargetProbe(TimeProvider time, Func<HttpMessageHandler> connect)
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>Reaches a target from this host.</summary>
    public static HttpMessageHandler Direct() => new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        MaxResponseDrainSize = 0,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
    };

    /// <summary>Probes a target once.</summary>
    /// <returns>Why it isn't healthy, in words; <see langword="null"/> if it is.</returns>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<string?> FindFailureAsync(Target target, CancellationToken cancellationToken)
    {
        var probe = target.Probe;
        using var limit = new CancellationTokenSource(probe.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var client = new HttpMessageInvoker(connect());
            using var response = await client.SendAsync(RequestTo(target), either.Token);
            var status = (int)response.StatusCode;
            if (!StatusRanges.TryParse(probe.ExpectedStatus, out var expected) || !expected.Contains(status))
            {
                return string.Create(CultureInfo.InvariantCulture, $"it answered {status}, expected {probe.ExpectedStatus}");
            }

            return probe.ExpectedBody is not { } body || await ContainsAsync(response, body, either.Token)
                ? null
                : "its answer doesn't contain the expected body";
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return $"it didn't answer within {probe.Timeout.TotalMilliseconds:0} ms";
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return $"it couldn't be asked: {e.GetBaseException().Message}";
        }
    }

    private static HttpRequestMessage RequestTo(Target target)
    {
        var asItIs = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{target.Address}{target.Probe.Path}", asItIs))
        {
            Version = target.Probe.Protocol.ToHttpVersion(),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        foreach (var (name, value) in target.Probe.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.Host = target.Probe.Host;
        request.Headers.ConnectionClose = true;
        return request;
    }

    private static async Task<bool> ContainsAsync(HttpResponseMessage response, string expected, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBodyBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            var length = await body.ReadAtLeastAsync(buffer.AsMemory(0, MaxBodyBytes), MaxBodyBytes, throwOnEndOfStream: false, cancellationToken);
            return buffer.AsSpan(0, length).IndexOf(Encoding.UTF8.GetBytes(expected)) >= 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
