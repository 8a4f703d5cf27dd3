using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Hooks;

/// <summary>Posts calls to an address, signed. Any status from 200 to 299 takes one; redirects are not followed.</summary>
/// <param name="http">Sends it.</param>
/// <param name="address">Where to.</param>
/// <param name="secret">Key of the signatures.</param>
/// <param name="time">Clock of the signatures and of the deadline.</param>
internal sealed class Webhook(HttpClient http, Uri address, HookSecret secret, TimeProvider time) : IHook
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // What follows the path may be a secret of the receiver.
    public string Name { get; } = address.GetLeftPart(UriPartial.Path);

    public string Key { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address.AbsoluteUri)));

    public async Task TellAsync(HookCall call, byte[] json, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var request = RequestOf(call, json);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
            {
                throw new HookException($"it answered {(int)response.StatusCode}", IsPassing(response.StatusCode));
            }
        }
        catch (HttpRequestException e)
        {
            throw new HookException($"it isn't reached: {e.Message}", isWorthAnotherTry: true, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HookException($"it didn't answer within {Duration.Format(Limit)}", isWorthAnotherTry: true, e);
        }
    }

    private HttpRequestMessage RequestOf(HookCall call, byte[] json)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(json) { Headers = { ContentType = new("application/json") } } };
        request.Headers.Add("Wunderproxy-Signature", secret.Sign(json, time.GetUtcNow()));
        request.Headers.Add("Wunderproxy-Event", JsonNamingPolicy.KebabCaseLower.ConvertName(call.Event.Event.ToString()));
        request.Headers.Add("Wunderproxy-Delivery", call.Delivery);
        return request;
    }

    private static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;
}
