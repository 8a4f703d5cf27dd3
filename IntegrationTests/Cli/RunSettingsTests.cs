using System.Net;
using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Containers;
using Wunderproxy.Controller.Exporting;

namespace Wunderproxy.IntegrationTests.Cli;

public sealed class RunSettingsTests : IDisposable
{
    private static readonly RunArguments Shop = new("deployments", "shop", "shop");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-settings");
    private readonly Dictionary<Setting, string> _commandLine = [];
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Address_of_a_hook_that_cannot_be_used_is_not_shown_for_it_may_be_secret()
    {
        _commandLine[RunOptions.Hooks] = "ftp://hooks.example/secret-path";

        var error = Assert.Single(ErrorsOf(Shop));

        Assert.StartsWith("--hooks has something that is neither a program nor an address.", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Hook_that_is_named_twice_is_refused()
    {
        _commandLine[RunOptions.Hooks] = "/bin/true, https://hooks.example/secret-path, /bin/true";

        var error = Assert.Single(ErrorsOf(Shop));

        Assert.StartsWith("--hooks names a hook twice", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_are_those_of_the_go_tool_and_the_documentation()
    {
        var settings = Read();

        Assert.Equal("0.0.0.0:80", settings.Proxy.ToString());
        Assert.Null(settings.ProxyTls);
        Assert.Equal("/etc/wunderproxy/certificates", settings.ProxyCertificates);
        Assert.False(settings.ProxyProtocol);
        Assert.Null(settings.Acme);
        Assert.Equal(["--forwarded", "false", "--answer-request-id", "false", "--access-log-format", "combined"], settings.ProxyOptions);
        Assert.Equal("0.0.0.0:8001", settings.Api.ToString());
        Assert.Null(settings.ApiToken);
        Assert.Equal(8080, settings.RegistryPort);
        Assert.Equal("/var/lib/wunderproxy/shop", settings.StateDirectory);
        Assert.Equal("/var/lib/wunderproxy/shop/proxy.sock", settings.ProxyControl);
        Assert.Equal("unix:///var/run/docker.sock", settings.Docker);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.Poll);
        Assert.Equal("wunderproxy", settings.Network);
        Assert.Equal(IPNetwork.Parse("172.30.0.0/16"), settings.NetworkSubnet);
        Assert.Equal(IPNetwork.Parse("172.30.128.0/17"), settings.NetworkDynamicRange);
        Assert.Equal(Addressing.Bridge, settings.Addressing);
        Assert.Equal(Permissions.None, settings.Allow);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.ProgressDeadline);
        Assert.Equal(LogFormat.Text, settings.LogFormat);
        Assert.Null(settings.Store.S3Endpoint);
        Assert.False(settings.Store.S3PathStyle);
        Assert.Empty(settings.ContainerEnvironment);
    }

    [Theory]
    [InlineData("correct-horse-battery-staple\n", null)]
    [InlineData("short\n", "holds no token")]
    [InlineData("correct horse battery staple\n", "holds no token")]
    [InlineData("", "holds no token")]
    public void Token_is_the_line_of_a_file_that_nobody_can_guess(string content, string? problem)
    {
        var file = Path.Combine(_directory.FullName, "token");
        using (var writer = File.CreateText(file))
        {
            writer.Write(content);
        }

        _environment["WUNDERPROXY_API_TOKEN_FILE"] = file;
        var reader = new SettingReader(_commandLine, _environment.GetValueOrDefault);
        var settings = RunSettingsReader.Read(reader, Shop);

        Assert.Equal(problem is null, settings.ApiToken is not null);
        Assert.Equal(problem is null ? [] : [problem], reader.Errors.Select(error => error.Contains(problem!, StringComparison.Ordinal) ? problem! : error));
    }

    [Fact]
    public void Certificates_are_obtained_as_they_are_agreed_upon()
    {
        _commandLine[RunOptions.AcmeAgree] = "true";
        var byDefault = Read().Acme!;
        _environment["WUNDERPROXY_ACME_EMAIL"] = "admin@shop.example, other@shop.example";
        _environment["WUNDERPROXY_ACME_ALLOW"] = "Shop.example,*.shop.example";
        _environment["WUNDERPROXY_ACME_CHALLENGES"] = "tls-alpn-01";

        var acme = Read().Acme!;

        Assert.Equal("https://acme-v02.api.letsencrypt.org/directory", byDefault.Directory.AbsoluteUri);
        Assert.Equal(["http-01", "tls-alpn-01"], byDefault.Challenges);
        Assert.Equal(["mailto:admin@shop.example", "mailto:other@shop.example"], acme.Contact);
        Assert.Equal(["shop.example", "*.shop.example"], acme.Allowed);
        Assert.Equal(["tls-alpn-01"], acme.Challenges);
        Assert.Null(acme.Ask);
    }

    [Fact]
    public void Traces_and_metrics_are_sent_where_our_variable_says_or_the_standard_one_or_else_nowhere()
    {
        Assert.Null(Read().Otlp);

        _environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:4317";
        _environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        Assert.Equal(new OtlpOptions(new Uri("http://127.0.0.1:4317"), OtlpProtocol.Grpc, TimeSpan.FromMinutes(1)), Read().Otlp);

        _environment["WUNDERPROXY_OTLP_ENDPOINT"] = "https://collector.example";
        _commandLine[RunOptions.OtlpProtocol] = "http/protobuf";
        _commandLine[RunOptions.OtlpInterval] = "5s";
        Assert.Equal(new OtlpOptions(new Uri("https://collector.example"), OtlpProtocol.Http, TimeSpan.FromSeconds(5)), Read().Otlp);
    }

    [Fact]
    public void Command_line_wins_over_environment_over_file_over_default()
    {
        _commandLine[RunOptions.Settings] = Write("settings.json", """{ "Poll": "7s", "RegistryPort": 5000, "Network": "from-file", "S3PathStyle": true }""");
        _environment["WUNDERPROXY_POLL"] = "8s";
        _environment["WUNDERPROXY_REGISTRY_PORT"] = "5001";
        _commandLine[RunOptions.Poll] = "9s";

        var settings = Read();

        Assert.Equal(TimeSpan.FromSeconds(9), settings.Poll);
        Assert.Equal(5001, settings.RegistryPort);
        Assert.Equal("from-file", settings.Network);
        Assert.True(settings.Store.S3PathStyle);
        Assert.Equal(TimeSpan.FromMinutes(10), settings.ProgressDeadline);
    }

    [Fact]
    public void Settings_file_can_be_named_by_the_environment_and_has_keys_in_any_case_lists_and_comments()
    {
        _environment["WUNDERPROXY_SETTINGS"] = Write("settings.json", """
            {
              // What this host allows.
              "allow": ["privileged", "devices"],
              "STATEDIR": "/srv/shop",
            }
            """);

        var settings = Read();

        Assert.Equal(Permissions.Privileged | Permissions.Devices, settings.Allow);
        Assert.Equal("/srv/shop/proxy.sock", settings.ProxyControl);
    }

    [Fact]
    public void Settings_of_the_proxy_become_its_arguments()
    {
        _environment["WUNDERPROXY_TRUSTED_PROXY"] = "10.0.0.0/8, 192.0.2.1";
        _environment["WUNDERPROXY_FORWARDED"] = "true";
        _commandLine[RunOptions.Forwarded] = "false";
        _commandLine[RunOptions.AnswerRequestId] = "true";
        _commandLine[RunOptions.AccessLog] = "access.log";
        _commandLine[RunOptions.AccessLogFormat] = "json";

        Assert.Equal(
            [
                "--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "192.0.2.1", "--forwarded", "false", "--answer-request-id", "true",
                "--access-log", Path.GetFullPath("access.log"), "--access-log-format", "json",
            ],
            Read().ProxyOptions);
    }

    [Fact]
    public void Variable_that_is_set_to_nothing_sets_nothing()
    {
        _environment["WUNDERPROXY_S3_ENDPOINT"] = "";

        Assert.Null(Read().Store.S3Endpoint);
    }

    [Fact]
    public void Every_setting_has_its_own_name_in_each_place()
    {
        Assert.Distinct(RunOptions.All.Select(setting => setting.Variable));
        Assert.Equal("--s3-path-style", RunOptions.S3PathStyle.Option);
        Assert.Equal("WUNDERPROXY_S3_PATH_STYLE", RunOptions.S3PathStyle.Variable);
        Assert.Equal("S3PathStyle", RunOptions.S3PathStyle.Key);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_with_the_place_where_it_was_set()
    {
        _commandLine[RunOptions.Poll] = "soon";
        _environment["WUNDERPROXY_API"] = "8001";
        var file = _commandLine[RunOptions.Settings] = Write("settings.json", """{ "RegistryPort": 70000, "StatDir": "/srv" }""");

        var errors = ErrorsOf(new RunArguments("a", "shop", "Shop"));

        string[] beginnings =
        [
            "BUCKET 'a' is", "APP 'Shop' is", "--poll 'soon' is", "WUNDERPROXY_API '8001' has", $"RegistryPort in {file} '70000' is", $"The settings file {file} has the unknown key 'StatDir'. Did you mean 'StateDir'?",
        ];
        Assert.Equal(beginnings.Length, errors.Count);
        Assert.All(beginnings, beginning => Assert.Contains(errors, error => error.StartsWith(beginning, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("proxy", "80")]
    [InlineData("proxy", "example.org:80")]
    [InlineData("proxy", "::1:80")]
    [InlineData("proxy", "0.0.0.0:65536")]
    [InlineData("proxy", "unix:/run/proxy.sock")]
    [InlineData("proxy-protocol", "v2")]
    [InlineData("trusted-proxy", "10.0.0.0/8,10.0.0.0/99")]
    [InlineData("trusted-proxy", "proxy.example")]
    [InlineData("forwarded", "1")]
    [InlineData("access-log", "")]
    [InlineData("access-log-format", "text")]
    [InlineData("acme-directory", "http://acme.example/dir")]
    [InlineData("acme-email", "mailto:admin@shop.example")]
    [InlineData("hooks", "https://hooks.example/shop")]
    [InlineData("hooks", "/does/not/exist")]
    [InlineData("hook-secret-file", "/does/not/exist")]
    [InlineData("acme-ca-file", "/does/not/exist.pem")]
    [InlineData("acme-challenges", "dns-01")]
    [InlineData("acme-allow", "*.*.example")]
    [InlineData("acme-ask", "ask.example")]
    [InlineData("api", "unix:api.sock")]
    [InlineData("registry-port", "0")]
    [InlineData("registry-port", "+80")]
    [InlineData("docker", "tcp://127.0.0.1:2375")]
    [InlineData("docker", "/var/run/docker.sock")]
    [InlineData("s3-endpoint", "127.0.0.1:9000")]
    [InlineData("s3-path-style", "yes")]
    [InlineData("poll", "0s")]
    [InlineData("poll", "2h")]
    [InlineData("network", "a b")]
    [InlineData("network-subnet", "fd00::/64")]
    [InlineData("network-subnet", "172.30.0.0/31")]
    [InlineData("network-dynamic-range", "172.31.0.0/17")]
    [InlineData("network-dynamic-range", "172.30.0.0/16")]
    [InlineData("address-mode", "host")]
    [InlineData("address-mode", "1")]
    [InlineData("allow", "everything")]
    [InlineData("progress-deadline", "1s")]
    [InlineData("log-format", "xml")]
    [InlineData("cfg", "/nonexistent/cfg")]
    [InlineData("cfg", "/")]
    [InlineData("state-dir", "")]
    public void Value_that_cannot_be_used_is_named_with_its_option(string option, string value)
    {
        _commandLine[RunOptions.All.Single(setting => setting.Name == option)] = value;

        Assert.StartsWith($"--{option} '{value}' ", Assert.Single(ErrorsOf(Shop)), StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_in_an_endpoint_are_refused_without_being_shown()
    {
        _commandLine[RunOptions.S3Endpoint] = "http://key:secret@127.0.0.1:9000";

        var error = Assert.Single(ErrorsOf(Shop));

        Assert.StartsWith("--s3-endpoint ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Socket_path_that_is_too_long_for_the_kernel_is_refused()
    {
        _commandLine[RunOptions.StateDir] = "/srv/" + new string('x', 100);

        Assert.Contains("107", Assert.Single(ErrorsOf(Shop)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("./store", true)]
    [InlineData("/srv/store/", true)]
    [InlineData(".", true)]
    [InlineData("stores/shop", true)]
    [InlineData("deployments", false)]
    public void Bucket_with_a_slash_is_a_directory(string bucket, bool isDirectory) =>
        Assert.Equal(isDirectory ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(bucket)) : bucket, Read(Shop with { Bucket = bucket }).Store.Bucket);

    [Theory]
    [InlineData("shop/", "shop")]
    [InlineData("/hosts/shop", "hosts/shop")]
    public void Prefix_loses_the_slashes_at_its_ends(string given, string prefix) => Assert.Equal(prefix, Read(Shop with { Prefix = given }).Store.Prefix);

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("../shop")]
    [InlineData("a//b")]
    [InlineData("a b")]
    public void Prefix_that_leads_elsewhere_is_refused(string prefix) =>
        Assert.StartsWith($"PREFIX '{prefix}' ", Assert.Single(ErrorsOf(Shop with { Prefix = prefix })), StringComparison.Ordinal);

    [Theory]
    [InlineData("0.0.0.0:80", "0.0.0.0:80")]
    [InlineData(":80", "0.0.0.0:80")]
    [InlineData("*:80", "0.0.0.0:80")]
    [InlineData("localhost:80", "127.0.0.1:80")]
    [InlineData("[::]:80", "[::]:80")]
    [InlineData("unix:/run/api.sock", "unix:/run/api.sock")]
    public void Addresses_are_taken_in_the_usual_forms(string given, string address)
    {
        _commandLine[RunOptions.Api] = given;

        Assert.Equal(address, Read().Api.ToString());
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.128.0.0/9")]
    [InlineData("172.30.0.1/16", "172.30.128.0/17")]
    [InlineData("192.168.4.0/24", "192.168.4.128/25")]
    [InlineData("192.168.4.16/28", "192.168.4.24/29")]
    public void Dynamic_range_is_the_upper_half_of_the_subnet(string subnet, string range)
    {
        _commandLine[RunOptions.NetworkSubnet] = subnet;

        Assert.Equal(IPNetwork.Parse(range), Read().NetworkDynamicRange);
    }

    [Fact]
    public void Environment_of_the_containers_is_read_and_never_shown()
    {
        _commandLine[RunOptions.Cfg] = Write("shop.env", "# database\n\nDATABASE=secret\n");

        var settings = Read();

        Assert.Equal("secret", settings.ContainerEnvironment["DATABASE"]);
        Assert.DoesNotContain("secret", settings.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_line_of_the_environment_file_is_named_by_its_number_without_its_content()
    {
        _commandLine[RunOptions.Cfg] = Write("shop.env", "A=1\nsecret\n");

        var error = Assert.Single(ErrorsOf(Shop));

        Assert.Contains("Line 2", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{ "Poll": {} }""")]
    [InlineData("""{ "Poll": "5s", "poll": "6s" }""")]
    public void Settings_file_of_another_form_is_refused(string content)
    {
        _commandLine[RunOptions.Settings] = Write("settings.json", content);

        Assert.Contains("settings.json", Assert.Single(ErrorsOf(Shop)), StringComparison.Ordinal);
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_directory.FullName, name);
        using var file = File.CreateText(path);
        file.Write(content);
        return path;
    }

    private RunSettings Read(RunArguments? arguments = null)
    {
        var reader = Reader();
        var settings = RunSettingsReader.Read(reader, arguments ?? Shop);
        Assert.Empty(reader.Errors);
        return settings;
    }

    private IReadOnlyList<string> ErrorsOf(RunArguments arguments)
    {
        var reader = Reader();
        RunSettingsReader.Read(reader, arguments);
        return reader.Errors;
    }

    private SettingReader Reader() => new(_commandLine, _environment.GetValueOrDefault);
}
