using System.Net;
using System.Text.Json.Serialization;

namespace Wunderproxy.Contracts.Control;

/// <summary>What an application speaks on the port that receives its requests.</summary>
public enum ApplicationProtocol
{
    /// <summary>HTTP/1.1.</summary>
    [JsonStringEnumMemberName("http/1.1")]
    Http11,

    /// <summary>HTTP/2 without TLS, which the other side knows beforehand; gRPC needs it. Source: RFC 9113, section 3.3.</summary>
    [JsonStringEnumMemberName("h2c")]
    H2c,
}

/// <summary>What follows from an application's protocol.</summary>
public static class ApplicationProtocols
{
    /// <summary>The version of HTTP with which a request is sent, and no other.</summary>
    public static Version ToHttpVersion(this ApplicationProtocol protocol) => protocol == ApplicationProtocol.H2c ? HttpVersion.Version20 : HttpVersion.Version11;
}
