using Wunderproxy.Controller.Exporting;

namespace Wunderproxy.Controller.Cli;

/// <summary>Reads the settings of OTLP.</summary>
internal static class OtlpSettingsReader
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    /// <summary>Reads them; errors are the reader's.</summary>
    /// <returns>Absent: nothing is sent.</returns>
    public static OtlpOptions? Read(SettingReader reader)
    {
        var protocol = reader.Required(RunOptions.OtlpProtocol, Protocol);
        var interval = reader.Required(RunOptions.OtlpInterval, SettingParsers.Between(ShortestInterval, TimeSpan.FromHours(1)));
        return reader.Optional(RunOptions.OtlpEndpoint, SettingParsers.Receiver) is { } endpoint ? new OtlpOptions(endpoint, protocol, interval) : null;
    }

    private static OtlpProtocol Protocol(string text) => text switch
    {
        "grpc" => OtlpProtocol.Grpc,
        "http/protobuf" => OtlpProtocol.Http,
        _ => throw new SettingException("is neither grpc nor http/protobuf."),
    };
}
