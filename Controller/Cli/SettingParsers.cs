using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Api;
using Wunderproxy.Controller.Containers;

namespace Wunderproxy.Controller.Cli;

/// <summary>Texts of settings as values. Each throws a <see cref="SettingException"/> that says what is wrong and what to write instead.</summary>
internal static partial class SettingParsers
{
    private const string UnixScheme = "unix://";
    private const int EnvironmentCapBytes = 1 << 20;
    private const int SecretCapBytes = 4 << 10;
    private const int MatchLimitMs = 1_000;
    private const int AddressBits = 32;
    private const int WidestSubnet = 8;
    private const int NarrowestSubnet = 28;

    /// <summary>An S3 bucket as it is; a directory, recognized by a slash, as an absolute path.</summary>
    public static string Bucket(string text) => text switch
    {
        _ when text.Contains('/', StringComparison.Ordinal) || text is "." or ".." => Path.TrimEndingDirectorySeparator(Path.GetFullPath(text)),
        _ when BucketName().IsMatch(text) => text,
        _ => throw new SettingException(
            "is neither the name of an S3 bucket (3 to 63 of a-z, 0-9, . and -) nor a directory. Write a directory with a slash, such as ./store."),
    };

    /// <summary>The prefix without the slashes at its ends.</summary>
    public static string Prefix(string text)
    {
        var prefix = text.Trim('/');
        return PrefixName().IsMatch(prefix) && !prefix.Split('/').Any(segment => segment is "" or "." or "..")
            ? prefix
            : throw new SettingException("is no prefix of keys. Write up to 512 letters, digits and . _ - separated by single slashes, such as shop or hosts/shop.");
    }

    public static string Application(string text) => ApplicationName().IsMatch(text)
        ? text
        : throw new SettingException(
            "is no name of an application, which becomes part of image and container names. Write up to 63 of a-z, 0-9 and single . _ - between them, such as shop.");

    public static string NetworkName(string text) => EngineName().IsMatch(text)
        ? text
        : throw new SettingException("is no name of a Docker network. Write up to 63 letters, digits and . _ -, beginning with a letter or digit.");

    public static ListenAddress Address(string text) =>
        ListenAddress.TryParse(text, out var address, out var problem) ? address! : throw new SettingException(problem!);

    /// <summary>The token in a file.</summary>
    public static ApiToken TokenIn(string path) => new(SecretIn(path, "token"));

    /// <summary>The secret line of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="noun">What it is, for the message.</param>
    public static string SecretIn(string path, string noun)
    {
        var text = Encoding.UTF8.GetString(TextFile.Read(path, SecretCapBytes)).Trim();
        return ApiToken.IsOne(text)
            ? text
            : throw new SettingException($"holds no {noun}: a line of {ApiToken.ShortestLength} or more visible ASCII characters. Make one: openssl rand -hex 32");
    }

    public static ListenAddress PublicAddress(string text) =>
        Address(text) as ListenAddress.Tcp ?? throw new SettingException("is a Unix socket. Write an IP address and port, such as 0.0.0.0:80.");

    public static int Port(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? port
            : throw new SettingException("is no port. Write a number from 1 to 65535.");

    public static string Directory(string text) =>
        text.Length > 0 ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(text)) : throw new SettingException("is empty. Write the path of a directory.");

    public static string SocketPath(string text)
    {
        var path = text.Length > 0 ? Path.GetFullPath(text) : text;
        return ListenAddress.ProblemOfSocketPath(path) is { } problem ? throw new SettingException(problem) : path;
    }

    public static string EngineAddress(string text) => text.StartsWith(UnixScheme + "/", StringComparison.Ordinal)
        ? UnixScheme + SocketPath(text[UnixScheme.Length..])
        : throw new SettingException("is no Unix socket. Write unix:// and an absolute path, such as unix:///var/run/docker.sock; TCP is not supported.");

    public static Uri Endpoint(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) ? Endpoint(uri) : throw NoEndpoint();

    private static Uri Endpoint(Uri uri) => uri switch
    {
        { UserInfo.Length: > 0 } => throw new SettingException(
            "contains credentials, which may become visible to others. Give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as a profile.", hidesValue: true),
        { Scheme: "http" or "https", Query: "", Fragment: "" } => uri,
        _ => throw NoEndpoint(),
    };

    /// <summary>Address of a receiver of OTLP.</summary>
    public static Uri Receiver(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) ? uri switch
    {
        { UserInfo.Length: > 0 } => throw new SettingException("contains credentials, which may become visible to others. Give them in OTEL_EXPORTER_OTLP_HEADERS.", hidesValue: true),
        { Scheme: "http" or "https", Query: "", Fragment: "" } => uri,
        _ => throw NoReceiver(),
    }
    : throw NoReceiver();

    private static SettingException NoReceiver() => new("is no address of a receiver. Write http:// or https:// with host and port, such as http://127.0.0.1:4318.");

    private static SettingException NoEndpoint() =>
        new("is no address of a store. Write http:// or https:// with host and port, such as http://127.0.0.1:9000.");

    public static bool Switch(string text) =>
        bool.TryParse(text, out var value) ? value : throw new SettingException("is neither true nor false.");

    public static Func<string, TimeSpan> Between(TimeSpan shortest, TimeSpan longest) => text =>
        Duration.TryParse(text, out var duration) && duration >= shortest && duration <= longest
            ? duration
            : throw new SettingException($"is no duration from {Duration.Format(shortest)} to {Duration.Format(longest)}. Write a number and a unit, such as 5s, 2m or 250ms.");

    public static T OneOf<T>(string text)
        where T : struct, Enum => Enum.GetValues<T>().Cast<T?>().FirstOrDefault(value => value!.Value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase))
            ?? throw new SettingException($"is none of {string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}.");

    public static Permissions Allowed(string text)
    {
        try
        {
            return PermissionNames.Parse(text);
        }
        catch (FormatException e)
        {
            throw new SettingException($"can't be allowed. {e.Message}");
        }
    }

    /// <summary>The variables in a file of <c>key=value</c> lines.</summary>
    public static IReadOnlyDictionary<string, string> EnvironmentOf(string path)
    {
        var result = EnvironmentFile.Parse(Encoding.UTF8.GetString(TextFile.Read(path, EnvironmentCapBytes)));
        return result.Errors.Count == 0 ? result.Variables : throw new SettingException($"has bad lines. {string.Join(" ", result.Errors)}");
    }

    /// <summary>The file of a log, or what says that there is none, or none of its own.</summary>
    public static string Log(string text) => text switch
    {
        "" => throw new SettingException("is empty. Write the path of a file, or - for the log of the Proxy."),
        "-" or "true" or "false" => text,
        _ => Path.GetFullPath(text),
    };

    public static string LineFormat(string text) =>
        text is "combined" or "json" ? text : throw new SettingException("is neither combined nor json.");

    /// <summary>Networks and addresses, as they were written.</summary>
    public static IReadOnlyList<string> Networks(string text)
    {
        var networks = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Array.Find(networks, network => !IPNetwork.TryParse(network, out _) && !IPAddress.TryParse(network, out _)) is { } wrong
            ? throw new SettingException($"has '{wrong}', which is neither an IP address nor a network such as 10.0.0.0/8. Separate them by commas.")
            : networks;
    }

    public static IPNetwork Subnet(string text) =>
        IPNetwork.TryParse(text, out var network) && network.BaseAddress.AddressFamily == AddressFamily.InterNetwork
        && network.PrefixLength is >= WidestSubnet and <= NarrowestSubnet
            ? network
            : throw new SettingException($"is no IPv4 subnet from /{WidestSubnet} to /{NarrowestSubnet}. Write the first address and its length, such as 172.30.0.0/16.");

    /// <summary>A part of a subnet that leaves addresses outside.</summary>
    public static Func<string, IPNetwork> PartOf(IPNetwork subnet) => text =>
        IPNetwork.TryParse(text, out var range) && range.PrefixLength > subnet.PrefixLength && range.PrefixLength <= AddressBits && subnet.Contains(range.BaseAddress)
            ? range
            : throw new SettingException($"is no part of the subnet {subnet} that leaves addresses outside. Write {UpperHalf(subnet)}, for instance.");

    public static IPNetwork UpperHalf(IPNetwork subnet)
    {
        var bytes = subnet.BaseAddress.GetAddressBytes();
        bytes[subnet.PrefixLength / 8] |= (byte)(0x80 >> (subnet.PrefixLength % 8));
        return new IPNetwork(new IPAddress(bytes), subnet.PrefixLength + 1);
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z", RegexOptions.None, MatchLimitMs)]
    private static partial Regex BucketName();

    [GeneratedRegex(@"^[A-Za-z0-9._/-]{1,512}\z", RegexOptions.None, MatchLimitMs)]
    private static partial Regex PrefixName();

    [GeneratedRegex(@"^(?=.{1,63}\z)[a-z0-9]+([._-][a-z0-9]+)*\z", RegexOptions.None, MatchLimitMs)]
    private static partial Regex ApplicationName();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\z", RegexOptions.None, MatchLimitMs)]
    private static partial Regex EngineName();
}
