namespace Wunderproxy.Controller.Exporting;

/// <summary>Where traces of deployments and metrics are sent by OTLP.</summary>
/// <param name="Endpoint">Address of the receiver; over HTTP the paths of the signals are appended.</param>
/// <param name="Protocol">How.</param>
/// <param name="Interval">Pause between two exports of metrics.</param>
internal sealed record OtlpOptions(Uri Endpoint, OtlpProtocol Protocol, TimeSpan Interval);

/// <summary>How OTLP is sent.</summary>
internal enum OtlpProtocol
{
    /// <summary>As gRPC, mostly to port 4317.</summary>
    Grpc,

    /// <summary>As HTTP with protobuf, mostly to port 4318.</summary>
    Http,
}
