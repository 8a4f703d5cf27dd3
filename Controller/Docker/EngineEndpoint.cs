using System.Net;
using System.Net.Sockets;

namespace Wunderproxy.Controller.Docker;

/// <summary>Where the Docker Engine listens.</summary>
internal sealed class EngineEndpoint
{
    private readonly string? _socketPath;
    private readonly string _host = "";
    private readonly int _port;

    private EngineEndpoint(string address, string socketPath) => (Address, _socketPath) = (address, socketPath);

    private EngineEndpoint(string address, string host, int port) => (Address, _host, _port) = (address, host, port);

    /// <summary>As it was given.</summary>
    public string Address { get; }

    /// <param name="address"><c>unix:///path/of/docker.sock</c> or <c>tcp://host:port</c>.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static EngineEndpoint Parse(string address)
    {
        if (address.StartsWith("unix:///", StringComparison.Ordinal))
        {
            return new EngineEndpoint(address, address["unix://".Length..]);
        }

        return Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { Scheme: "tcp", Port: > 0, Host.Length: > 0 }
            ? new EngineEndpoint(address, uri.Host, uri.Port)
            : throw new FormatException($"'{address}' isn't the address of a Docker Engine; give unix:///path/of/docker.sock or tcp://host:port.");
    }

    public async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_socketPath is not null)
        {
            return await SocketStream.ConnectAsync(_socketPath, cancellationToken);
        }

        // An event stream may be silent for days: only the keep-alive notices that the other host is gone.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        return await SocketStream.ConnectAsync(socket, new DnsEndPoint(_host, _port), cancellationToken);
    }

    /// <summary>Why a connect failed, in words for an operator.</summary>
    public string Explain(Exception failure) => failure.GetBaseException() switch
    {
        // .NET reports a missing socket file as "cannot assign requested address".
        SocketException when _socketPath is not null && !File.Exists(_socketPath) => "there is no such socket",
        SocketException { SocketErrorCode: SocketError.AccessDenied } => "permission denied for this user",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nothing listens there",
        OperationCanceledException => "no connection within the deadline",
        var other => other.Message,
    };
}
