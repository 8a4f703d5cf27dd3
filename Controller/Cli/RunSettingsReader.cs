using System.Net;

namespace Wunderproxy.Controller.Cli;

/// <summary>What <c>run</c> can't do without.</summary>
/// <param name="Bucket">S3 bucket or directory.</param>
/// <param name="Prefix">Prefix of the application's keys.</param>
/// <param name="Application">Name of the application.</param>
internal sealed record RunArguments(string Bucket, string Prefix, string Application);

/// <summary>Reads and checks all settings of <c>run</c> at once.</summary>
internal static class RunSettingsReader
{
    private const string StateRoot = "/var/lib/wunderproxy";

    /// <summary>The Proxy's control socket, where no other one is named.</summary>
    public static string ControlSocketIn(string stateDirectory) => $"{stateDirectory}/proxy.sock";

    /// <summary>Reads the settings. They are usable only if the reader has no errors afterwards.</summary>
    public static RunSettings Read(SettingReader reader, RunArguments arguments)
    {
        var application = reader.Argument("APP", arguments.Application, SettingParsers.Application);
        var stateDirectory = reader.RequiredOr(RunOptions.StateDir, $"{StateRoot}/{application}", SettingParsers.Directory);
        var subnet = reader.Required(RunOptions.NetworkSubnet, SettingParsers.Subnet);
        return new RunSettings
        {
            Store = StoreSettings.Read(reader, arguments.Bucket, arguments.Prefix),
            Application = application!,
            Proxy = reader.Required(RunOptions.Proxy, SettingParsers.PublicAddress),
            ProxyTls = reader.Optional(RunOptions.ProxyTls, SettingParsers.PublicAddress),
            ProxyCertificates = reader.Required(RunOptions.ProxyCertificates, SettingParsers.Directory),
            ProxyClientCa = reader.Optional(RunOptions.ProxyClientCa, Path.GetFullPath),
            ProxyProtocol = reader.Required(RunOptions.ProxyProtocol, SettingParsers.Switch),
            ProxyOptions = ProxySettings.Read(reader),
            Acme = AcmeSettingsReader.Read(reader),
            Api = reader.Required(RunOptions.Api, SettingParsers.Address),
            ApiToken = reader.Optional(RunOptions.ApiTokenFile, SettingParsers.TokenIn),
            Hooks = HookSettingsReader.Read(reader),
            RegistryPort = reader.Required(RunOptions.RegistryPort, SettingParsers.Port),
            ContainerEnvironment = reader.Optional(RunOptions.Cfg, SettingParsers.EnvironmentOf) ?? new Dictionary<string, string>(),
            StateDirectory = stateDirectory,
            Docker = reader.Required(RunOptions.Docker, SettingParsers.EngineAddress),
            ProxyControl = reader.RequiredOr(RunOptions.ProxyControl, ControlSocketIn(stateDirectory), SettingParsers.SocketPath),
            Poll = reader.Required(RunOptions.Poll, SettingParsers.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1))),
            Network = reader.Required(RunOptions.Network, SettingParsers.NetworkName),
            NetworkSubnet = subnet,
            NetworkDynamicRange = DynamicRange(reader, subnet),
            Addressing = reader.Required(RunOptions.AddressMode, SettingParsers.OneOf<Addressing>),
            Allow = reader.Required(RunOptions.Allow, SettingParsers.Allowed),
            ProgressDeadline = reader.Required(RunOptions.ProgressDeadline, SettingParsers.Between(TimeSpan.FromSeconds(10), TimeSpan.FromHours(24))),
            Otlp = OtlpSettingsReader.Read(reader),
            LogFormat = reader.Required(RunOptions.LogFormat, SettingParsers.OneOf<LogFormat>),
        };
    }

    // Without a subnet there is nothing to compare the range with; the subnet's own error is enough.
    private static IPNetwork DynamicRange(SettingReader reader, IPNetwork subnet) => subnet.PrefixLength == 0
        ? subnet
        : reader.RequiredOr(RunOptions.NetworkDynamicRange, SettingParsers.UpperHalf(subnet).ToString(), SettingParsers.PartOf(subnet));
}
