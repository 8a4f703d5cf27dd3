using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using Wunderproxy.Contracts;
using Wunderproxy.Proxy.AccessLogs;
using Wunderproxy.Proxy.Peers;

namespace Wunderproxy.Proxy.Hosting;

/// <summary>The command line. Each option is also read from an environment variable; lists are separated by commas there.</summary>
internal sealed class CommandLine
{
    private const string Description = """
        Receives the requests of clients and forwards them to the active release of the application.

        It learns from the Controller, over the control socket, which release that is, and remembers it in the state directory: after a restart
        it serves at once. It needs no access to the container engine. SIGTERM: takes no new connections and lets running requests end; a second
        SIGTERM ends them. SIGHUP: opens the file of the access log anew, if there is one.

        Each option can also be given as an environment variable: WUNDERPROXY_LISTEN, WUNDERPROXY_LISTEN_TLS, WUNDERPROXY_CERTIFICATES, WUNDERPROXY_CLIENT_CA,
        WUNDERPROXY_CONTROL, WUNDERPROXY_STATE_DIR, WUNDERPROXY_TRUSTED_PROXY, WUNDERPROXY_PEER, WUNDERPROXY_PEER_KEY, WUNDERPROXY_PEER_SHARE, WUNDERPROXY_PEER_REQUESTS, WUNDERPROXY_PEER_TIMEOUT, WUNDERPROXY_MAX_CONNECTIONS, WUNDERPROXY_MAX_CONNECTIONS_PER_CLIENT,
        WUNDERPROXY_ACCESS_LOG (a file, true or false), WUNDERPROXY_ACCESS_LOG_FORMAT, WUNDERPROXY_STOP_TIMEOUT, WUNDERPROXY_BUFFER_MEMORY,
        WUNDERPROXY_BUFFER_DISK, WUNDERPROXY_BUFFER_DIR, and, with true or false, WUNDERPROXY_FORWARDED and WUNDERPROXY_ANSWER_REQUEST_ID. Lists are separated by
        commas.

        Exit codes: 0 stopped as told, 1 unexpected error, 2 wrong command line, 3 an address can't be listened on, 4 the control socket can't be
        made, 5 the state directory can't be used, 6 the access log can't be opened.
        """;

    private const string Address = "an address: host:port with an IP address or localhost, :port, or unix:/path, perhaps behind proxy-protocol:";

    private readonly Func<string, string?> _environment;
    private readonly Option<string[]> _listen;
    private readonly Option<string[]> _listenTls;
    private readonly Option<string> _certificates;
    private readonly Option<string?> _clientAuthorities;
    private readonly Option<string> _control;
    private readonly Option<string> _stateDirectory;
    private readonly Option<string[]> _trustedProxy;
    private readonly Option<string[]> _peer;
    private readonly Option<string?> _peerKey;
    private readonly Option<string?> _peerShare;
    private readonly Option<string?> _peerRequests;
    private readonly Option<string?> _peerTimeout;
    private readonly Option<string?> _maxConnections;
    private readonly Option<string?> _maxConnectionsPerClient;
    private readonly Option<bool> _forwarded;
    private readonly Option<bool> _answerRequestId;
    private readonly Option<string> _accessLog;
    private readonly Option<AccessLogFormat> _accessLogFormat;
    private readonly Option<bool> _noAccessLog = new("--no-access-log") { Description = "Write no line for each request, whatever the environment says." };
    private readonly Option<string> _stopTimeout;
    private readonly Option<string?> _bufferMemory;
    private readonly Option<string?> _bufferDisk;
    private readonly Option<string?> _bufferDirectory;

    /// <param name="environment">Value of an environment variable; null where there is none.</param>
    public CommandLine(Func<string, string?> environment)
    {
        _environment = environment;
        _listen = new("--listen")
        {
            Description = "Address to take requests on: host:port, :port or unix:/path; with proxy-protocol: before it, each connection begins with a header of the PROXY protocol, v1 or v2, and only the load balancer should reach it. May be repeated.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => List("LISTEN") ?? ["0.0.0.0:80"],
        };
        _listenTls = new("--listen-tls")
        {
            Description = "Address to take requests on over TLS (HTTP/1.1 and HTTP/2). May be repeated.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => List("LISTEN_TLS") ?? [],
        };
        _certificates = new("--certificates")
        {
            Description = "Folder of the certificates for TLS: NAME.crt with NAME.key, NAME.pem, or NAME/fullchain.pem with NAME/privkey.pem. Hosts are those that the certificates name; replaced files are taken at once.",
            HelpName = "DIR",
            DefaultValueFactory = _ => Variable("CERTIFICATES") ?? "/etc/wunderproxy/certificates",
        };
        _clientAuthorities = Optional("--client-ca", "CLIENT_CA", "FILE", "Certificates (PEM) of the authorities whose clients' certificates are taken, for applications that ask for them (Tls.ClientCertificates).");
        _control = new("--control")
        {
            Description = "Path of the control socket; its mode is 0660.",
            HelpName = "SOCKET",
            DefaultValueFactory = _ => Variable("CONTROL") ?? "/run/wunderproxy/proxy.sock",
        };
        _stateDirectory = new("--state-dir")
        {
            Description = "Folder in which it remembers what it serves.",
            HelpName = "DIR",
            DefaultValueFactory = _ => Variable("STATE_DIR") ?? "/var/lib/wunderproxy-proxy",
        };
        _trustedProxy = new("--trusted-proxy")
        {
            Description = "Network (CIDR) or address of a proxy in front, whose X-Forwarded-*, X-Request-Id and X-Request-Start are believed. May be repeated.",
            HelpName = "CIDR",
            DefaultValueFactory = _ => List("TRUSTED_PROXY") ?? [],
        };
        _peer = new("--peer")
        {
            Description = "IP address and port of the Proxy of another host that has the same applications, to which requests go that this one can't answer: it has no release, or its release can't be reached. It is believed as a proxy in front. May be repeated.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => List("PEER") ?? [],
        };
        _peerKey = Optional("--peer-key", "PEER_KEY", "FILE", "Secret of 32 characters at least that all of these hosts share; with it they mark what they send each other.");
        _peerShare = Optional("--peer-share", "PEER_SHARE", "PERCENT", "Part of the requests that this host can't answer that may go to the others [default: 50].");
        _peerRequests = Optional("--peer-requests", "PEER_REQUESTS", "NUMBER", "Requests that may be there at once [default: 100].");
        _peerTimeout = Optional("--peer-timeout", "PEER_TIMEOUT", "DURATION", "How long another host has for the head of an answer, 1s at least [default: 5s].");
        _maxConnections = Optional("--max-connections", "MAX_CONNECTIONS", "NUMBER", "Connections of clients at once; those beyond are closed as they come [default: half of the limit of descriptors, which holds in any case].");
        _maxConnectionsPerClient = Optional("--max-connections-per-client", "MAX_CONNECTIONS_PER_CLIENT", "NUMBER", "The same for each client, which is an IPv4 address or an IPv6 /64; trusted proxies are exempt [default: no limit].");
        _forwarded = Flag("--forwarded", "FORWARDED", "Send applications Forwarded (RFC 7239) beside X-Forwarded-*, and believe it of a proxy in front.");
        _answerRequestId = Flag("--answer-request-id", "ANSWER_REQUEST_ID", "Name the request in each answer, in X-Request-Id.");
        _accessLog = new("--access-log")
        {
            Description = "Write a line for each request to the file, or to the standard output where none is named. Queries are left out.",
            HelpName = "FILE",
            Arity = ArgumentArity.ZeroOrOne,
            DefaultValueFactory = option => option.Parent is OptionResult { Implicit: false } ? "true" : Variable("ACCESS_LOG") ?? "false",
        };
        _accessLogFormat = new("--access-log-format")
        {
            Description = "combined: as Apache and nginx write it, and a few fields behind it; json: an object a line.",
            HelpName = "combined|json",
            DefaultValueFactory = _ => Enum.TryParse<AccessLogFormat>(Variable("ACCESS_LOG_FORMAT"), ignoreCase: true, out var format) ? format : AccessLogFormat.Combined,
        };
        _stopTimeout = new("--stop-timeout")
        {
            Description = "From SIGTERM until requests that still run are cut.",
            HelpName = "DURATION",
            DefaultValueFactory = _ => Variable("STOP_TIMEOUT") ?? "30s",
        };
        _bufferMemory = Optional("--buffer-memory", "BUFFER_MEMORY", "SIZE", "Memory in which bodies are kept for slow clients, over all requests; then clients are served at their own pace [default: a sixteenth of the machine's, 16MiB to 512MiB].");
        _bufferDisk = Optional("--buffer-disk", "BUFFER_DISK", "SIZE", "Temporary files for the same [default: a tenth of what is free, at most 2GiB].");
        _bufferDirectory = Optional("--buffer-dir", "BUFFER_DIR", "DIR", "Folder of these files, of which no other process makes use [default: STATE-DIR/buffers].");
        _listen.Validators.Add(option => Check(option, ListenAddress.TryParse, Address));
        _listenTls.Validators.Add(option => Check(option, ListenAddress.TryParse, Address));
        _trustedProxy.Validators.Add(option => Check(option, ParseNetwork, "an IP address or a network such as 10.0.0.0/8"));
        _peer.Validators.Add(option => Check(option, ParsePeer, "an IP address and a port, such as 10.0.0.2:80"));
        _peer.Validators.Add(option =>
        {
            if (option.GetValueOrDefault<string[]>() is { Length: > 0 } && option.GetValue(_peerKey) is null)
            {
                option.AddError("--peer: --peer-key names no file with the secret of these hosts.");
            }
        });
        _peerShare.Validators.Add(option => Check(option, ParsePercent, "a whole percent from 1 to 100"));
        _peerRequests.Validators.Add(option => Check(option, ParseCount, "a whole number of at least 1"));
        _peerTimeout.Validators.Add(option => Check(option, ParsePeerTimeout, "a duration of at least 1s"));
        _maxConnections.Validators.Add(option => Check(option, ParseCount, "a whole number of at least 1"));
        _maxConnectionsPerClient.Validators.Add(option => Check(option, ParseCount, "a whole number of at least 1"));
        _stopTimeout.Validators.Add(option => Check(option, ParseDuration, "a duration such as 30s"));
        _bufferMemory.Validators.Add(option => Check(option, ParseSize, "a size such as 128MiB"));
        _bufferDisk.Validators.Add(option => Check(option, ParseSize, "a size such as 2GiB"));
    }

    /// <summary>Runs what the command line asks for: help, version, or a Proxy.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="run">Runs a Proxy until it ends.</param>
    /// <param name="output">Where help and errors go.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> InvokeAsync(IReadOnlyList<string> arguments, Func<ProxyOptions, Task<ExitCode>> run, InvocationConfiguration output)
    {
        var root = new RootCommand(Description)
        {
            _listen, _listenTls, _certificates, _clientAuthorities, _control, _stateDirectory, _trustedProxy, _peer, _peerKey, _peerShare, _peerRequests, _peerTimeout, _forwarded, _answerRequestId, _maxConnections, _maxConnectionsPerClient,
            _accessLog, _accessLogFormat, _noAccessLog, _stopTimeout, _bufferMemory, _bufferDisk, _bufferDirectory,
        };
        root.SetAction(async (result, _) => (int)await run(OptionsOf(result)));
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count == 0)
        {
            return await parsed.InvokeAsync(output);
        }

        foreach (var error in parsed.Errors)
        {
            await output.Error.WriteLineAsync(error.Message);
        }

        await output.Error.WriteLineAsync("Try 'wunderproxy-proxy --help'.");
        return (int)ExitCode.Usage;
    }

    private ProxyOptions OptionsOf(ParseResult result) => new()
    {
        Listen = [.. result.GetRequiredValue(_listen).Select(text => ListenAddress.TryParse(text)!)],
        ListenTls = [.. result.GetRequiredValue(_listenTls).Select(text => ListenAddress.TryParse(text)!)],
        Certificates = Path.GetFullPath(result.GetRequiredValue(_certificates)),
        ClientAuthorities = result.GetValue(_clientAuthorities) is { } file ? Path.GetFullPath(file) : null,
        ControlSocket = Path.GetFullPath(result.GetRequiredValue(_control)),
        StateDirectory = Path.GetFullPath(result.GetRequiredValue(_stateDirectory)),
        TrustedProxies = [.. result.GetRequiredValue(_trustedProxy).Select(text => ParseNetwork(text)!.Value)],
        Peers = PeersOf(result),
        MaxConnections = ParseCount(result.GetValue(_maxConnections)),
        MaxConnectionsPerClient = ParseCount(result.GetValue(_maxConnectionsPerClient)),
        Forwarded = result.GetValue(_forwarded),
        AnswerRequestId = result.GetValue(_answerRequestId),
        AccessLog = result.GetValue(_noAccessLog) ? null : LogIn(result.GetRequiredValue(_accessLog)),
        AccessLogFormat = result.GetValue(_accessLogFormat),
        StopTimeout = ParseDuration(result.GetRequiredValue(_stopTimeout))!.Value,
        BufferMemory = result.GetValue(_bufferMemory) is { } memory ? ParseSize(memory) : null,
        BufferDisk = result.GetValue(_bufferDisk) is { } disk ? ParseSize(disk) : null,
        BufferDirectory = result.GetValue(_bufferDirectory) is { } folder ? Path.GetFullPath(folder) : null,
    };

    private PeerOptions? PeersOf(ParseResult result)
    {
        var absent = new PeerOptions();
        return result.GetRequiredValue(_peer) is not { Length: > 0 } addresses ? null : new PeerOptions
        {
            Addresses = [.. addresses.Select(text => ParsePeer(text)!)],
            KeyFile = Path.GetFullPath(result.GetValue(_peerKey)!),
            Share = ParsePercent(result.GetValue(_peerShare)) ?? absent.Share,
            MaxInFlight = ParseCount(result.GetValue(_peerRequests)) ?? absent.MaxInFlight,
            Timeout = result.GetValue(_peerTimeout) is { } timeout ? ParsePeerTimeout(timeout)!.Value : absent.Timeout,
        };
    }

    private Option<string?> Optional(string name, string variable, string helpName, string description) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => Variable(variable),
    };

    private Option<bool> Flag(string name, string variable, string description) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => bool.TryParse(Variable(variable), out var isOn) && isOn,
    };

    private static void Check<T>(OptionResult option, Func<string, T?> parse, string expected)
    {
        foreach (var text in option.GetValueOrDefault<object>() switch { string[] list => list, string one => [one], _ => [] })
        {
            if (parse(text) is null)
            {
                option.AddError($"{option.Option.Name}: '{text}' is not {expected}.");
            }
        }
    }

    private static string? LogIn(string text) => text switch
    {
        "true" or ProxyOptions.StandardOutput => ProxyOptions.StandardOutput,
        "false" => null,
        _ => Path.GetFullPath(text),
    };

    private static IPNetwork? ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;

    private static int? ParseCount(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count : null;

    private static int? ParsePercent(string? text) => ParseCount(text?.TrimEnd('%')) is { } percent and <= 100 ? percent : null;

    private static IPEndPoint? ParsePeer(string text) => IPEndPoint.TryParse(text, out var address) && address.Port > 0 ? address : null;

    private static TimeSpan? ParsePeerTimeout(string text) => ParseDuration(text) is { } timeout && timeout >= Contracts.Control.Limits.Shortest ? timeout : null;

    private static TimeSpan? ParseDuration(string text) => Duration.TryParse(text, out var duration) ? duration : null;

    private static long? ParseSize(string text) => ByteSize.TryParse(text, out var size) ? size : null;

    private string? Variable(string name) => _environment("WUNDERPROXY_" + name) is { Length: > 0 } value ? value : null;

    private string[]? List(string name) => Variable(name)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
