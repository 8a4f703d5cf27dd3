using System.Net.Security;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Wunderproxy.Proxy.Acme;
using Wunderproxy.Proxy.Clients;
using Wunderproxy.Proxy.Forwarding;
using Wunderproxy.Proxy.SlowClients;
using Wunderproxy.Proxy.Sockets;
using Wunderproxy.Proxy.Stats;
using Wunderproxy.Proxy.Tls;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>The server that clients reach: Kestrel without a host around it.</summary>
internal sealed class PublicServer : IDisposable
{
    private static readonly ConnectionHeaderEncoding ConnectionEncoding = new();
    private static readonly ContentLengthEncoding LengthEncoding = new();

    private const int MaxLoops = 16;
    private const int StreamsAtOnce = 100;
    private const int StreamWindow = 768 << 10;
    private const int ConnectionWindow = 1 << 20;
    private const int LargestFrame = 16 << 10;
    private const int HeaderTable = 4 << 10;
    private const int LargestField = 32 << 10;
    private const int AnswerBuffer = 64 << 10;

    private static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(130);
    private static readonly TimeSpan SlowTime = TimeSpan.FromSeconds(5);

    private readonly LoopTransport _transport;
    private readonly KestrelServer _server;
    private readonly List<(ListenAddress Address, ListenOptions Options)> _listening = [];
    private readonly List<(ListenAddress Address, ListenOptions Options)> _listeningTls = [];

    /// <param name="options">Where it listens.</param>
    /// <param name="trusted">Whom it believes.</param>
    /// <param name="chooseTls">What TLS is spoken with for the host that a client names; absent: it isn't spoken.</param>
    /// <param name="acme">Answers those who validate hosts in a handshake.</param>
    /// <param name="connections">Counts the clients' connections.</param>
    /// <param name="services">Services that Kestrel looks up.</param>
    /// <param name="time">Clock of the connections.</param>
    /// <param name="loggers">Where Kestrel logs.</param>
    public PublicServer(
        ProxyOptions options,
        TrustedProxies trusted,
        Func<string, SslServerAuthenticationOptions?>? chooseTls,
        AcmeDesk acme,
        ClientConnections connections,
        IServiceProvider services,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        // Read by Kestrel when its options are made: a line ends with CR LF, nothing less.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var kestrel = new KestrelServerOptions
        {
            ApplicationServices = services,
            AddServerHeader = false,
            AllowSynchronousIO = false,
            RequestHeaderEncodingSelector = EncodingOf,
            ResponseHeaderEncodingSelector = static _ => Encoding.Latin1,
        };
        Limit(kestrel.Limits, options);
        var http2 = new InnerListener(time);
        var knowledge = new PriorKnowledge(http2, options.HeadTimeout, time);
        var proxyProtocol = new ProxyProtocol(options.HeadTimeout, SilenceLimit, time);
        foreach (var address in options.Listen)
        {
            _listening.Add((address, Listen(kestrel, address, proxyProtocol, knowledge.Watch, trusted)));
        }

        if (chooseTls is not null)
        {
            var handshake = new TlsHandshake(chooseTls, acme, http2, options.HeadTimeout, time);
            _listeningTls.AddRange(options.ListenTls.Select(address => (address, Listen(kestrel, address, proxyProtocol, handshake.Establish, trusted))));
        }

        kestrel.Listen(http2.EndPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(StoppingHeartbeat.Provide(time));
            listen.Use(Peer.Introduce(trusted));
        });
        _transport = new LoopTransport(Math.Clamp(Environment.ProcessorCount / 2, 1, MaxLoops), "wp-loop", time, connections, loggers.CreateLogger<ClientListener>());
        _server = new KestrelServer(Options.Create(kestrel), _transport, loggers);
    }

    /// <summary>The addresses that it listens on, with the ports that were chosen.</summary>
    public IReadOnlyList<string> Listening => [.. _listening.Select(NameOf)];

    /// <summary>The same of those for TLS.</summary>
    public IReadOnlyList<string> ListeningTls => [.. _listeningTls.Select(NameOf)];

    /// <summary>Begins to listen.</summary>
    /// <exception cref="StartException">An address is in use, or may not be used.</exception>
    public async Task StartAsync(PublicApplication application, CancellationToken cancellationToken)
    {
        try
        {
            await _server.StartAsync(application, cancellationToken);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException or InvalidOperationException)
        {
            var addresses = string.Join(", ", _listening.Concat(_listeningTls).Select(listening => listening.Address));
            throw new StartException(
                ExitCode.CannotListen,
                $"The Proxy can't listen on {addresses}: {e.GetBaseException().Message}. Free the address, or name another one with --listen or --listen-tls; ports below 1024 need root or CAP_NET_BIND_SERVICE.",
                e);
        }
    }

    /// <summary>Takes no new connection, lets running requests end, and cuts them when the token is cancelled.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _server.StopAsync(cancellationToken);
        await _transport.EndAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _server.Dispose();
        _transport.Dispose();
    }

    // What a client of HTTP/2 can make us hold: one window of bytes that the application hasn't taken, a buffer for the answer of each stream, and two tables of headers.
    private static void Limit(KestrelServerLimits limits, ProxyOptions options)
    {
        limits.MaxRequestBodySize = null;
        limits.RequestHeadersTimeout = options.HeadTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(options.MinBodyRate, SlowTime);
        limits.MinResponseDataRate = new MinDataRate(options.MinBodyRate, TimeForPiece(options.MinBodyRate));
        limits.MaxResponseBufferSize = AnswerBuffer;
        limits.Http2.MaxStreamsPerConnection = StreamsAtOnce;
        limits.Http2.InitialStreamWindowSize = StreamWindow;
        limits.Http2.InitialConnectionWindowSize = ConnectionWindow;
        limits.Http2.MaxFrameSize = LargestFrame;
        limits.Http2.HeaderTableSize = HeaderTable;
        limits.Http2.MaxRequestHeaderFieldSize = LargestField;
    }

    private static string NameOf((ListenAddress Address, ListenOptions Options) listening) => listening.Options.IPEndPoint?.ToString() ?? listening.Address.ToString();

    // HTTP/1.1 is served here; what speaks HTTP/2 is handed over to the listener for it by what comes first.
    private static ListenOptions Listen(KestrelServerOptions kestrel, ListenAddress address, ProxyProtocol proxyProtocol, Func<ConnectionDelegate, ConnectionDelegate> first, TrustedProxies trusted)
    {
        var listen = address.AddTo(kestrel);
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(SpecimenListener.Watch);
        if (address.HasProxyHeader)
        {
            listen.Use(proxyProtocol.Watch);
        }

        listen.Use(first);
        listen.Use(Peer.Introduce(trusted));
        listen.Use(RequestLineGuard.Watch);
        return listen;
    }

    // Kestrel doesn't count what is written straight into its memory: each piece of an answer has the time that goes with the rate, or else it would have 5 s however large it is.
    private static TimeSpan TimeForPiece(int minBodyRate) => TimeSpan.FromSeconds(Math.Max(SlowTime.TotalSeconds, (double)PacedAnswer.Piece / minBodyRate));

    private static Encoding EncodingOf(string header) => header switch
    {
        "Connection" => ConnectionEncoding,
        "Content-Length" => LengthEncoding,
        _ => Encoding.Latin1,
    };
}
