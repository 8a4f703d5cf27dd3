using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Observing;

/// <summary>Sends health probes. Each is a connection of its own, so that it tells whether new connections are taken.</summary>
/// <param name="time">Clock of the limits.</param>
/// <param name="connections">How containers are reached: <see cref="Direct"/>.</param>
internal sealed class HealthClient(TimeProvider time, HttpMessageHandler connections) : IDisposable
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxAnswerCharacters = 120;

    private readonly HttpMessageInvoker _http = new(connections);

    /// <summary>Reaches containers from this host, by a new connection each time.</summary>
    public static HttpMessageHandler Direct() => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        PooledConnectionLifetime = TimeSpan.Zero,
    };

    /// <summary>One probe.</summary>
    /// <returns>What it said; <see langword="null"/> where the host itself couldn't send it, which says nothing about the container.</returns>
    public async Task<ProbeResult?> ProbeAsync(HealthProbe probe, string address, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(probe.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var request = RequestOf(probe, address);
            using var response = await _http.SendAsync(request, either.Token);
            return await JudgeAsync(probe, response, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeResult(ProbeFailure.NoAnswer, $"no answer within {Contracts.Duration.Format(probe.Timeout)}");
        }
        catch (HttpRequestException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new ProbeResult(ProbeFailure.Refused, "connection refused");
        }
        catch (HttpRequestException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.TooManyOpenSockets or SocketError.AddressNotAvailable or SocketError.NoBufferSpaceAvailable })
        {
            return null;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new ProbeResult(ProbeFailure.NoAnswer, (exception.InnerException ?? exception).Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage RequestOf(HealthProbe probe, string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{address}{probe.Path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
        {
            Version = probe.Protocol.ToHttpVersion(),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Host", probe.Host);
        foreach (var (name, value) in probe.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static async Task<ProbeResult> JudgeAsync(HealthProbe probe, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await ReadBodyAsync(response, cancellationToken);
        var excerpt = body.Length > MaxAnswerCharacters ? body[..MaxAnswerCharacters] + "…" : body;
        var answer = $"{(int)response.StatusCode} {response.ReasonPhrase} '{excerpt.ReplaceLineEndings(" ").Trim()}'";
        var isExpected = StatusRanges.TryParse(probe.ExpectedStatus, out var expected) && expected.Contains((int)response.StatusCode)
            && (probe.ExpectedBody is null || body.Contains(probe.ExpectedBody, StringComparison.Ordinal));
        return new ProbeResult(isExpected ? null : ProbeFailure.Unexpected, answer);
    }

    private static async Task<string> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        // Lent, for a probe comes each second for as long as the release serves.
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBodyBytes);
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var length = await stream.ReadAtLeastAsync(buffer.AsMemory(0, MaxBodyBytes), MaxBodyBytes, throwOnEndOfStream: false, cancellationToken);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>What one probe said.</summary>
/// <param name="Failure">Absent: healthy.</param>
/// <param name="Answer">In words.</param>
internal sealed record ProbeResult(ProbeFailure? Failure, string Answer);
