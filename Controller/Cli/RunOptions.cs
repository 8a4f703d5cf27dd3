using Wunderproxy.Controller.Containers;

namespace Wunderproxy.Controller.Cli;

/// <summary>The settings of <c>run</c>. Those of the Go tool are proxy, api, registry-port and cfg.</summary>
internal static class RunOptions
{
    public static readonly Setting Proxy = new("proxy", "ADDRESS", "Public address on which a Proxy that is started here listens.", "0.0.0.0:80");
    public static readonly Setting ProxyTls = new("proxy-tls", "ADDRESS", "Address on which it takes requests over TLS, such as 0.0.0.0:443 [default: none].");
    public static readonly Setting ProxyCertificates = new("proxy-certificates", "DIR", "Folder of its certificates and keys for TLS.", "/etc/wunderproxy/certificates");
    public static readonly Setting ProxyClientCa = new("proxy-client-ca", "FILE", "Certificates of the authorities whose clients' certificates it takes, for applications that ask for them [default: none].");
    public static readonly Setting ProxyProtocol = new("proxy-protocol", "", "Each connection to that Proxy begins with a header of the PROXY protocol, v1 or v2; only the load balancer should reach it.", "false");
    public static readonly Setting TrustedProxy = new(
        "trusted-proxy", "LIST", "Networks and addresses, separated by commas, of proxies in front of it, whose X-Forwarded-*, X-Request-Id and X-Request-Start it believes [default: none].", "");
    public static readonly Setting Forwarded = new("forwarded", "", "It sends applications Forwarded (RFC 7239) beside X-Forwarded-*, and believes it of proxies in front.", "false");
    public static readonly Setting AnswerRequestId = new("answer-request-id", "", "It names the request in each answer, in X-Request-Id.", "false");
    public static readonly Setting AccessLog = new("access-log", "FILE", "It writes a line for each request to the file, or with - into its own log [default: none].");
    public static readonly Setting AccessLogFormat = new("access-log-format", "combined|json", "How it writes these lines.", "combined");
    public static readonly Setting AcmeAgree = new(
        "acme-agree", "", "Obtains certificates for applications whose Tls.Automatic says so, and agrees to the terms of the ACME server.", "false");
    public static readonly Setting AcmeDirectory = new("acme-directory", "URL", "Directory of the ACME server (RFC 8555).", "https://acme-v02.api.letsencrypt.org/directory");
    public static readonly Setting AcmeEmail = new("acme-email", "LIST", "Addresses that it may write to, separated by commas [default: none].", "");
    public static readonly Setting AcmeCaFile = new("acme-ca-file", "FILE", "Certificates (PEM) of those who vouch for a private ACME server [default: the system's].");
    public static readonly Setting AcmeChallenges = new(
        "acme-challenges", "LIST", "How hosts are validated, the preferred way first: http-01 at port 80, tls-alpn-01 at port 443.", "http-01,tls-alpn-01");
    public static readonly Setting AcmeAllow = new("acme-allow", "LIST", "Names, such as shop.example or *.shop.example, for which certificates are obtained when clients ask for them [default: none].", "");
    public static readonly Setting AcmeAsk = new("acme-ask", "URL", "Is asked with ?domain=NAME whether one is obtained for other names; 200 means yes [default: nobody].");
    public static readonly Setting Api = new("api", "ADDRESS", "Address of the admin API, or unix:/path of its socket.", "0.0.0.0:8001");
    public static readonly Setting ApiTokenFile = new(
        "api-token-file", "FILE", "Its one line is a token, of 20 characters at least, that every call which changes something has to show, from wherever it comes; without, such calls are taken from this host only.");
    public static readonly Setting Hooks = new(
        "hooks", "LIST", "Webhooks (https://…) and programs (/path) that are told of each end of a deployment and each move of traffic, separated by commas [default: none].");
    public static readonly Setting HookSecretFile = new("hook-secret-file", "FILE", "Its one line is the key, of 20 characters at least, that calls of webhooks are signed with.");
    public static readonly Setting RegistryPort = new("registry-port", "PORT", "Port of the registry on localhost, for configurations that name no image.", "8080");
    public static readonly Setting Cfg = new("cfg", "FILE", "Environment of every container, as NAME=VALUE lines. A configuration's own value wins.");

    public static readonly Setting StateDir = new("state-dir", "DIR", "Where the Controller keeps its state [default: /var/lib/wunderproxy/APP].");
    public static readonly Setting Docker = new("docker", "SOCKET", "The Docker Engine.", "unix:///var/run/docker.sock");

    public static readonly Setting ProxyControl = new(
        "proxy-control",
        "SOCKET",
        "Control socket of the Proxy; one is started if none answers there. Controllers that share a Proxy name the same socket, such as /run/wunderproxy/proxy.sock [default: STATE-DIR/proxy.sock].");

    public static readonly Setting S3Endpoint = new("s3-endpoint", "URL", "An S3-compatible store [default: AWS].");
    public static readonly Setting S3PathStyle = new("s3-path-style", "", "Bucket in the path instead of the host name; most S3-compatible stores need it.", "false");
    public static readonly Setting Poll = new("poll", "DURATION", "Pause between two looks at current.json in S3, 100ms to 1h.", "5s");
    public static readonly Setting Network = new("network", "NAME", "Docker network of the containers; made if it isn't there.", "wunderproxy");
    public static readonly Setting NetworkSubnet = new("network-subnet", "CIDR", "Its IPv4 subnet, /8 to /28.", "172.30.0.0/16");

    public static readonly Setting NetworkDynamicRange = new(
        "network-dynamic-range", "CIDR", "The part of it that is left to Docker; containers of ours have fixed addresses outside [default: the upper half].");

    public static readonly Setting AddressMode = new(
        "address-mode", "bridge|published", "How containers are reached: at their own address, or at a port on 127.0.0.1.", "bridge");

    public static readonly Setting Allow = new(
        "allow", "LIST", $"What containers may though it is forbidden otherwise, separated by commas: {string.Join(", ", PermissionNames.All)} [default: none].", "");
    public static readonly Setting ProgressDeadline = new("progress-deadline", "DURATION", "A deployment that got nowhere for so long has failed, 10s to 24h.", "10m");
    public static readonly Setting OtlpEndpoint = new(
        "otlp-endpoint", "URL", "Receiver of OpenTelemetry (OTLP) for a trace of each deployment, and for metrics [default: none].")
    {
        StandardVariable = "OTEL_EXPORTER_OTLP_ENDPOINT",
    };

    public static readonly Setting OtlpProtocol = new(
        "otlp-protocol", "grpc|http/protobuf", "How they are sent.", "http/protobuf")
    {
        StandardVariable = "OTEL_EXPORTER_OTLP_PROTOCOL",
    };

    public static readonly Setting OtlpInterval = new("otlp-interval", "DURATION", "Pause between two reports of metrics, 1s to 1h.", "60s");
    public static readonly Setting LogFormat = new("log-format", "text|json", "Format of the log on standard output.", "text");

    /// <summary>Names the settings file; it can't be set in the file itself.</summary>
    public static readonly Setting Settings = new("settings", "FILE", "JSON file with any of these settings, such as { \"StateDir\": \"/srv/shop\" }.");

    /// <summary>All but <see cref="Settings"/>, in the order of the help.</summary>
    public static readonly IReadOnlyList<Setting> All =
    [
        Proxy, ProxyTls, ProxyCertificates, ProxyClientCa, ProxyProtocol, TrustedProxy, Forwarded, AnswerRequestId, AccessLog, AccessLogFormat,
        AcmeAgree, AcmeDirectory, AcmeEmail, AcmeCaFile, AcmeChallenges, AcmeAllow, AcmeAsk,
        Api, ApiTokenFile, Hooks, HookSecretFile, RegistryPort, Cfg, StateDir, Docker, ProxyControl, S3Endpoint, S3PathStyle, Poll,
        Network, NetworkSubnet, NetworkDynamicRange, AddressMode, Allow, ProgressDeadline, OtlpEndpoint, OtlpProtocol, OtlpInterval, LogFormat,
    ];
}
