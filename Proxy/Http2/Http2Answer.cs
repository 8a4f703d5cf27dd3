using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Wunderproxy.Proxy.Compressing;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.Relaying;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Targets;

namespace Wunderproxy.Proxy.Http2;

/// <summary>Passes an answer of HTTP/2 on to the client: its head with the first bytes that come, and each piece at once, or ahead of a client that is slow.</summary>
/// <param name="exchange">The request and the answer.</param>
/// <param name="response">What has come from the application.</param>
/// <param name="patience">How long the application may take.</param>
[SuppressMessage("Design", "CA1001", Justification = "The compressor is disposed where the answer it belongs to ends.")]
internal sealed class Http2Answer(Exchange exchange, HttpResponseMessage response, Patience patience)
{
    private long? _left;
    private bool _goesAtOnce;
    private PacedAnswer? _paced;
    private Stream _body = exchange.ResponseBody;
    private ContentCoding _coding;
    private Compressor? _compressor;
    private AnswerAllowance _allowance;

    /// <summary>Passes it on to its end.</summary>
    /// <param name="claim">The hold on the target.</param>
    /// <param name="end">Cancelled when it is to end.</param>
    /// <exception cref="IOException">The application or the client broke it off, or it can't be passed on.</exception>
    public async Task PassOnAsync(Claim claim, CancellationToken end)
    {
        if (ClientAnswer.IsReplaced(exchange, (int)response.StatusCode))
        {
            exchange.Answered();
            throw new ReplacedAnswerException((int)response.StatusCode);
        }

        TakeHead(claim);
        if (!ClientAnswer.HasBody(exchange.Context.Response.StatusCode, exchange.Context.Request.Method))
        {
            return;
        }

        _allowance.Begin(claim, _left);
        claim.StaysOpen |= _left is null;
        var hasTrailers = _left is null && ClientAnswer.TryPrepareForTrailers(exchange);
        await PaceAsync(claim);
        await PassBodyOnAsync(end);
        if (hasTrailers || exchange.IsMultiplexed)
        {
            await ClientAnswer.EndAsync(exchange, [.. Checked(response.TrailingHeaders).Where(field => ClientAnswer.IsTrailer(field.Name))]);
        }
    }

    // What the client doesn't take is kept for it, where the application's configuration says so and the pieces mean nothing before the end.
    private async Task PaceAsync(Claim claim)
    {
        if (_goesAtOnce || exchange.ResponseBody.IsUnfinished || exchange.Serving is not { Buffering: { Answers: true } buffering })
        {
            return;
        }

        await exchange.ResponseBody.StartAsync(CancellationToken.None);
        claim.BreaksOff(exchange);
        _paced = exchange.Relay.Paced;
        _paced.Begin(buffering);
        _body = new PacedStream(_paced);
    }

    private async Task PassBodyOnAsync(CancellationToken end)
    {
        await using var body = await response.Content.ReadAsStreamAsync(end);
        await using var compressor = _compressor = _coding == ContentCoding.Identity ? null : new Compressor(_coding, _body, end);
        while (await TryPassPieceOnAsync(body, end))
        {
            // The next piece.
        }

        if (_left > 0)
        {
            throw new AnswerCutShortException();
        }

        await (compressor?.EndAsync() ?? ValueTask.CompletedTask);
        await (_paced?.EndAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>Takes over its head.</summary>
    /// <exception cref="InvalidAnswerException">It can't be passed on.</exception>
    public void TakeHead(Claim claim)
    {
        exchange.Answered();
        var context = exchange.Context;
        context.Response.StatusCode = (int)response.StatusCode;
        exchange.SetReason(null);
        foreach (var (name, value) in Checked(response.Headers).Concat(Checked(response.Content.Headers)))
        {
            TakeField(context.Response.Headers, name, value, claim);
        }

        _coding = ClientAnswer.EndHead(exchange, _left);
    }

    private static IEnumerable<(string Name, string Value)> Checked(HttpHeaders headers)
    {
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                yield return RequestChecks.IsValid(name, value) ? (name, value) : throw new InvalidAnswerException("A field of it has a character that none may have.");
            }
        }
    }

    private void TakeField(IHeaderDictionary headers, string name, string value, Claim claim)
    {
        switch (name.ToUpperInvariant())
        {
            case "CONTENT-LENGTH":
                _left = _left is null && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var length) ? length
                    : throw new InvalidAnswerException("Its length is not a number, or stands there twice.");
                break;
            case "CONNECTION" or "TRANSFER-ENCODING" or "KEEP-ALIVE" or "UPGRADE" or "PROXY-CONNECTION":
                // Source: RFC 9113, section 8.2.2.
                throw new InvalidAnswerException("It has a header that is meant for a connection of HTTP/1.1.");
            case "CONTENT-TYPE":
                ClientAnswer.Append(headers, name, value);
                ClientAnswer.BecomeStreamIfItIs(value, claim);
                _goesAtOnce |= BodyKinds.GoesAtOnce(value);
                break;
            case "X-ACCEL-BUFFERING":
                _goesAtOnce |= value.Equals("no", StringComparison.OrdinalIgnoreCase);
                break;
            case var _ when !HopHeaders.Contains(name):
                ClientAnswer.Append(headers, name, value);
                break;
        }
    }

    // Memory is held only while there are bytes in it: reading none waits for some to be there.
    private async Task<bool> TryPassPieceOnAsync(Stream body, CancellationToken end)
    {
        var arrival = body.ReadAsync(Memory<byte>.Empty, end);
        if (!arrival.IsCompleted)
        {
            await (_compressor?.FlushAsync() ?? Task.CompletedTask);
            await (_paced?.FlushAsync() ?? new ValueTask(_body.FlushAsync(end)));
        }

        await arrival;
        var piece = ArrayPool<byte>.Shared.Rent(PacedAnswer.Piece);
        try
        {
            var count = await body.ReadAsync(piece, end);
            if (count > 0)
            {
                patience.Moved();
                Count(count);
                await (_compressor?.WriteAsync(piece.AsMemory(0, count)) ?? _body.WriteAsync(piece.AsMemory(0, count), end));
                patience.Moved();
            }

            return count > 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Count(int bytes)
    {
        _allowance.Take(bytes);
        _left -= bytes;
        if (_left < 0)
        {
            throw new InvalidAnswerException("It is longer than it says.");
        }
    }
}
