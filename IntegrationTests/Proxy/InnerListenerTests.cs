using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Connections that are handed to a listener without a socket.</summary>
public sealed class InnerListenerTests : IAsyncDisposable
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly InnerListener _listener;
    private readonly CancellationTokenSource _closed = new();
    private readonly DefaultConnectionContext _connection = new() { Transport = new Duplex(new Pipe().Reader, new TlsWriter(Stream.Null)) };

    public InnerListenerTests()
    {
        _listener = new InnerListener(_time);
        _connection.ConnectionClosed = _closed.Token;
    }

    /// <summary>How the end of a connection begins.</summary>
    public enum Beginning
    {
        ServerAborts,
        ServerReadsNoMore,
        ClientLeaves,
    }

    public async ValueTask DisposeAsync()
    {
        // The connection itself isn't: it notes its abort on another thread, for which nobody can wait.
        await _listener.DisposeAsync();
        _closed.Dispose();
    }

    [Fact]
    public async Task Connection_comes_back_when_the_server_has_done_with_it()
    {
        var serving = _listener.HandOverAsync(_connection);
        var taken = await _listener.AcceptAsync();
        _time.Advance(Minute);
        Assert.False(serving.IsCompleted);

        await taken!.DisposeAsync();

        await serving.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Theory]
    [InlineData(Beginning.ServerAborts)]
    [InlineData(Beginning.ServerReadsNoMore)]
    [InlineData(Beginning.ClientLeaves)]
    public async Task Connection_whose_end_the_server_does_not_find_comes_back_after_a_minute(Beginning beginning)
    {
        var serving = _listener.HandOverAsync(_connection);
        var taken = await _listener.AcceptAsync();

        await BeginEndAsync(taken!, beginning);

        _time.Advance(Minute - TimeSpan.FromMilliseconds(1));
        Assert.False(serving.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await serving.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Fact]
    public async Task Connection_that_comes_when_nobody_takes_any_more_comes_back_at_once()
    {
        await _listener.UnbindAsync();

        await _listener.HandOverAsync(_connection).WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);

        Assert.Null(await _listener.AcceptAsync());
    }

    private async Task BeginEndAsync(ConnectionContext taken, Beginning beginning)
    {
        switch (beginning)
        {
            case Beginning.ServerAborts:
                taken.Abort(new ConnectionAbortedException());
                break;
            case Beginning.ServerReadsNoMore:
                taken.Transport.Input.CancelPendingRead();
                break;
            default:
                await _closed.CancelAsync();
                break;
        }
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
