namespace Wunderproxy.Controller.ProxyClient;

/// <summary>How a Proxy is started where none runs. All paths are absolute.</summary>
/// <param name="Executable">The Proxy's executable; absent: it wasn't found, which matters only where no Proxy runs.</param>
/// <param name="ListenAddress">The public address, such as <c>0.0.0.0:80</c>.</param>
/// <param name="Options">Its further options, as arguments.</param>
/// <param name="ControlSocket">Its control socket; the launch is serialized through a lock file of the same name and <c>.lock</c>.</param>
/// <param name="StateDirectory">Where it keeps what it serves.</param>
/// <param name="LogFile">Receives its output; one that has grown beyond 10 MiB is set aside before the start.</param>
internal sealed record ProxyLaunch(string? Executable, string ListenAddress, IReadOnlyList<string> Options, string ControlSocket, string StateDirectory, string LogFile)
{
    /// <summary>Where it speaks TLS; absent: nowhere.</summary>
    public ProxyTls? Tls { get; init; }
}

/// <summary>How a Proxy speaks TLS.</summary>
/// <param name="ListenAddress">The address, such as <c>0.0.0.0:443</c>.</param>
/// <param name="Certificates">Folder of its certificates.</param>
/// <param name="ClientAuthorities">File of those who issue clients' certificates; absent: clients aren't asked for any.</param>
internal sealed record ProxyTls(string ListenAddress, string Certificates, string? ClientAuthorities = null);

/// <summary>The Proxy couldn't be started; says why, with the end of its log, and what to do.</summary>
internal sealed class ProxyLaunchException(string message, Exception? inner = null) : Exception(message, inner);
