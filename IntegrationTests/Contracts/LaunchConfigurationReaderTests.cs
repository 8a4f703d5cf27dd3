using System.Text;
using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.IntegrationTests.Contracts;

public sealed class LaunchConfigurationReaderTests
{
    [Fact]
    public void Least_configuration_has_the_documented_defaults()
    {
        var it = Valid("""{ "ContainerConfig": { "Image": "shop:1" } }""");

        Assert.Equal("/", it.HealthPath());
        Assert.Equal(9292, it.ContainerPort);
        Assert.Equal("shop:1", it.ImageReference(8080, "shop"));
        Assert.Equal("200-299", it.HealthCheck.ExpectedStatus);
        Assert.Equal(TimeSpan.FromSeconds(1), it.HealthCheck.Interval);
        Assert.Equal(TimeSpan.FromSeconds(5), it.HealthCheck.Timeout);
        Assert.Equal(TimeSpan.FromSeconds(120), it.HealthCheck.Deadline);
        Assert.Equal((1, 3), (it.HealthCheck.Successes, it.HealthCheck.Failures));
        Assert.Equal((30.0, 30.0), (it.Drain.Timeout.TotalSeconds, it.Drain.StreamTimeout.TotalSeconds));
        Assert.Equal((null, 10.0), (it.Stop.Signal, it.Stop.Timeout.TotalSeconds));
        Assert.Equal(60, it.Probation.Duration.TotalSeconds);
        Assert.Equal((null, null, 60.0, 600.0), (it.Limits.MaxRequestBody, it.Limits.MaxAnswerBody, it.Limits.AnswerTimeout.TotalSeconds, it.Limits.IdleTimeout.TotalSeconds));
        Assert.Equal((null, 1000, 10.0), (it.Limits.MaxRequestsInFlight, it.Limits.MaxQueued, it.Limits.QueueTimeout.TotalSeconds));
        Assert.Equal((false, null), (it.Routing.StripPathPrefix, it.Routing.Redirect));
        Assert.Null(it.Artifact);
        Assert.Null(it.Compression);
        Assert.Null(it.HostConfig);
        Assert.Null(it.MaintenancePagePath());
        Assert.False(it.ForceReload);
    }

    [Fact]
    public void Complete_configuration_is_read_as_written()
    {
        var it = Valid("""
            {
              "Revision": "2f1c9e0", "Port": 3000, "Protocol": "H2C", "ForceReload": true, "HealthCheckPath": "ignored", "MaintenancePath": "maintenance.html",
              "ContainerConfig": { "Image": "localhost:8080/shop:2f1c9e0", "Env": ["RACK_ENV=production", "EMPTY="], "ExposedPorts": { "9292/tcp": {} } },
              "HostConfig": { "Memory": 536870912 },
              "HealthCheck": {
                "Path": "/up?deep=1", "Host": "shop.example:8443", "Headers": { "X-Token": "abc" }, "ExpectedStatus": "200-204, 304", "ExpectedBody": "ok",
                "Interval": "250ms", "Timeout": "2s", "Deadline": "1.5m", "Successes": 2, "Failures": 5, "InMaintenance": "healthy"
              },
              "Drain": { "Timeout": "0s", "StreamTimeout": "1h" },
              "Hold": { "Timeout": "3s" },
              "tls": { "hsts": { "MaxAgeDays": 30 }, "ClientCertificates": "optional" },
              "Buffering": { "Requests": false, "Memory": "128KiB", "MaxRequest": 5000000, "MaxAnswer": "2GiB" },
              "Compression": { "Types": ["text/*"], "MinSize": 500 },
              "Stop": { "Signal": "SIGINT", "Timeout": "45s" },
              "Probation": { "Duration": "5m", "MaxErrorRate": "0.5%", "MaxLatency": "1s", "MinRequests": 50 },
              "Routing": { "Hosts": ["shop.example", "www.shop.example"], "PathPrefix": "/shop", "StripPathPrefix": true, "Redirect": { "Https": true, "Www": "remove" } },
              "Limits": { "MaxRequestBody": "10MiB", "MaxAnswerBody": "1GiB", "AnswerTimeout": "90s", "IdleTimeout": "1h", "MaxRequestsInFlight": 8, "MaxQueued": 0, "QueueTimeout": "3s" },
              "Artifact": { "Bucket": "images", "Key": "shop/2f1c9e0.tar.gz" }
            }
            """);

        Assert.Equal("2f1c9e0", it.Revision);
        Assert.True(it.ForceReload);
        Assert.Equal(3000, it.ContainerPort);
        Assert.Equal(ApplicationProtocol.H2c, it.Protocol);
        Assert.Equal("/maintenance.html", it.MaintenancePagePath());
        Assert.Equal(536870912, it.HostConfig!.Value.GetProperty("Memory").GetInt64());
        Assert.Equal(TimeSpan.Zero, it.Drain.Timeout);
        Assert.Equal(TimeSpan.FromHours(1), it.Drain.StreamTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), it.Hold.Timeout);
        Assert.Equal(new TlsSettings { Hsts = new Hsts { MaxAgeDays = 30 }, ClientCertificates = ClientCertificates.Optional }, it.Tls);
        Assert.Equal(new Buffering { Requests = false, Answers = true, Memory = 128 << 10, MaxRequest = 5_000_000, MaxAnswer = 2L << 30 }, it.Buffering);
        Assert.Equal(new Compression { Types = ["text/*"], MinSize = 500 }, it.Compression);
        Assert.Equal(HealthInMaintenance.Healthy, it.HealthCheck.InMaintenance);
        Assert.Equal(("SIGINT", 45.0), (it.Stop.Signal, it.Stop.Timeout.TotalSeconds));
        Assert.Equal(new ProbationSpec { Duration = TimeSpan.FromMinutes(5), MaxErrorRate = 0.005, MaxLatency = TimeSpan.FromSeconds(1), MinRequests = 50 }, it.Probation);
        Assert.Equal(
            new Routing
            {
                Hosts = ["shop.example", "www.shop.example"],
                PathPrefix = "/shop",
                StripPathPrefix = true,
                Redirect = new Redirect { Https = true, Www = WwwRedirect.Remove },
            },
            it.Routing);
        Assert.Equal(
            new Limits
            {
                MaxRequestBody = 10 << 20,
                MaxAnswerBody = 1 << 30,
                AnswerTimeout = TimeSpan.FromSeconds(90),
                IdleTimeout = TimeSpan.FromHours(1),
                MaxRequestsInFlight = 8,
                MaxQueued = 0,
                QueueTimeout = TimeSpan.FromSeconds(3),
            },
            it.Limits);
        Assert.Equal(new ArtifactSpec { Bucket = "images", Key = "shop/2f1c9e0.tar.gz" }, it.Artifact);

        var probe = it.ToProbe();
        Assert.Equal(ApplicationProtocol.H2c, probe.Protocol);
        Assert.Equal(("/up?deep=1", "shop.example:8443", "200-204, 304", "ok", 2.0), (probe.Path, probe.Host, probe.ExpectedStatus, probe.ExpectedBody, probe.Timeout.TotalSeconds));
        Assert.Equal(new Dictionary<string, string> { ["X-Token"] = "abc", ["X-Forwarded-Proto"] = "https" }, probe.Headers);
        Assert.Equal((0.25, 90.0, 2, 5), (it.HealthCheck.Interval.TotalSeconds, it.HealthCheck.Deadline.TotalSeconds, it.HealthCheck.Successes, it.HealthCheck.Failures));
    }

    [Fact]
    public void Written_configuration_reads_as_the_same_one()
    {
        var it = Valid("""{ "Revision": "r1", "Port": 80, "ContainerConfig": { "Env": ["A=1"] }, "HealthCheck": { "Path": "/up", "Deadline": "10s" }, "Drain": { "Timeout": "0s" }, "Limits": { "MaxRequestBody": 5000 } }""");
        var written = JsonSerializer.SerializeToUtf8Bytes(it, ContractsJson.Default.LaunchConfiguration);
        Assert.Equal(written, JsonSerializer.SerializeToUtf8Bytes(Valid(Encoding.UTF8.GetString(written)), ContractsJson.Default.LaunchConfiguration));
    }

    [Fact]
    public void Names_are_matched_without_regard_to_case_as_the_go_tool_did()
    {
        var it = Valid("""{ "revision": "r1", "containerconfig": { "env": ["A=1"], "exposedports": { "3000/tcp": {} } }, "healthcheckpath": "status", "HEALTHCHECK": { "timeout": "3s" } }""");
        Assert.Equal(("r1", 3000, "/status", 3.0), (it.Revision, it.ContainerPort, it.HealthPath(), it.HealthCheck.Timeout.TotalSeconds));
        Assert.Equal("localhost:8080/shop:r1", it.ImageReference(8080, "shop"));
    }

    [Fact]
    public void What_the_go_tool_wrote_for_nothing_is_no_error()
    {
        var it = Valid("""{"ContainerConfig":{"Image":"","Env":null,"ExposedPorts":null,"Volumes":{},"Cmd":null},"HostConfig":null,"HealthCheckPath":"","Revision":"abc","ForceReload":false}""");
        Assert.Equal(("/", "localhost:5000/shop:abc"), (it.HealthPath(), it.ImageReference(5000, "shop")));
    }

    [Fact]
    public void Options_of_the_engine_pass_untouched_whatever_they_are()
    {
        var it = Valid("""{ "ContainerConfig": { "Image": "a", "FutureOption": { "n": 1.50, "Labels": { "a": "1", "A": "2" } } }, "HostConfig": { "Other": [null, 1e3] } }""");
        Assert.Equal("""{ "n": 1.50, "Labels": { "a": "1", "A": "2" } }""", it.ContainerConfig.GetProperty("FutureOption").GetRawText());
        Assert.Equal("[null, 1e3]", it.HostConfig!.Value.GetProperty("Other").GetRawText());
    }

    [Fact]
    public void All_errors_are_told_at_once_each_with_its_place_in_the_order_of_the_text()
    {
        var result = Read("""
            {
              "Revision": 7,
              "ContainerConfig": { "Image": "shop:1", "Env": ["A=1", "B"] },
              "HelthCheck": {},
              "HealthCheck": { "Timeout": "5", "Interval": "2h", "Successes": 0, "Tmeout": "1s" },
              "Drain": "30s",
              "Port": 70000
            }
            """);

        Assert.False(result.IsValid);
        Assert.Equal(
            [
                ("$.Revision", 2, 15), ("$.ContainerConfig.Env[1]", 3, 58), ("$.HelthCheck", 4, 3), ("$.HealthCheck.Timeout", 5, 31), ("$.HealthCheck.Interval", 5, 48),
                ("$.HealthCheck.Successes", 5, 67), ("$.HealthCheck.Tmeout", 5, 70), ("$.Drain", 6, 12), ("$.Port", 7, 11),
            ],
            result.Errors.Select(e => (e.Path, e.Line!.Value, e.Column!.Value)));
        Assert.All(result.Errors, e => Assert.True(e.Problem.EndsWith('.') && e.Fix.EndsWith('.')));
        Assert.Contains("$.HealthCheck.Timeout (line 5, column 31): \"5\" is not a duration. Write a number and a unit", result.Describe(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HelthCheck", "HealthCheck")]
    [InlineData("Conteiner_config", "ContainerConfig")]
    [InlineData("Hostconfig ", "HostConfig")]
    [InlineData("revison", "Revision")]
    [InlineData("Ports", "Port")]
    public void Unknown_property_is_told_with_the_name_that_was_probably_meant(string given, string nearest)
    {
        var error = Assert.Single(Read($$"""{ "ContainerConfig": { "Image": "a" }, "{{given}}": {} }""").Errors);
        Assert.Contains($"\"{given}\"", error.Problem, StringComparison.Ordinal);
        Assert.Contains($"\"{nearest}\"", error.Fix, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Revision": "a", "Revision": "b", "ContainerConfig": {} }""", "$.Revision", 20)]
    [InlineData("""{ "Revision": "a", "revision": "b", "ContainerConfig": {} }""", "$.revision", 20)]
    [InlineData("""{ "ContainerConfig": { "Image": "a", "image": "b" } }""", "$.ContainerConfig.image", 38)]
    [InlineData("""{ "ContainerConfig": { "Image": "a", "Labels": { "x": "1", "x": "2" } } }""", "$.ContainerConfig.Labels.x", 60)]
    [InlineData("""{ "ContainerConfig": { "Image": "a" }, "HostConfig": { "Bindſ": [], "Binds": [] } }""", "$.HostConfig.Binds", 69)]
    [InlineData("""{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "X-A": "1", "x-a": "2" } } }""", "$.HealthCheck.Headers['x-a']", 82)]
    public void Property_that_is_there_twice_is_refused_also_in_other_case(string json, string path, int column)
    {
        var error = Assert.Single(Read(json).Errors);
        Assert.Equal((path, 1, column), (error.Path, error.Line, error.Column));
        Assert.Contains("already", error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("{", 1, 2)]
    [InlineData("{ \"Revision\": \"é\",\n  ü }", 2, 3)]
    [InlineData("{ \"Revision\": \"éé\", x }", 1, 21)]
    [InlineData("{ \"Revision\": \"a\", }", 1, 20)]
    [InlineData("{} {}", 1, 4)]
    [InlineData("// comment\n{}", 1, 1)]
    [InlineData("{\n  \"Revision\": \"\\ud800\" }", 2, 15)]
    [InlineData("{\n  \"Revision\": nul }", 2, 18)]
    public void Invalid_json_is_told_with_line_and_column(string json, int line, int column)
    {
        var error = Assert.Single(Read(json).Errors);
        Assert.Equal(("$", line, column), (error.Path, error.Line, error.Column));
        Assert.Contains("not JSON", error.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("reader options", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_are_told_with_their_place()
    {
        var error = Assert.Single(LaunchConfigurationReader.Read(new byte[] { (byte)'{', (byte)'\n', (byte)' ', 0xC3, 0x28 }).Errors);
        Assert.Equal((2, 2), (error.Line, error.Column));
    }

    [Fact]
    public void Byte_order_mark_is_no_error() => Assert.True(Read("\uFEFF{ \"ContainerConfig\": { \"Image\": \"a\" } }").IsValid);

    [Fact]
    public void Document_above_the_cap_is_refused_unread()
    {
        var json = "{ \"Revision\": \"" + new string('a', LaunchConfigurationReader.MaxBytes) + "\" }";
        Assert.Contains("bytes", Assert.Single(Read(json).Errors).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Document_that_is_too_deep_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 40)) + "1" + new string('}', 40);
        Assert.Contains("depth", Assert.Single(Read($$"""{ "ContainerConfig": {{deep}} }""").Errors).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Number_of_errors_is_capped()
    {
        var members = string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"x{i}\": 1"));
        Assert.Equal(LaunchConfigurationReader.MaxErrors, Read($$"""{ "ContainerConfig": { "Image": "a" }, {{members}} }""").Errors.Count);
    }

    [Theory]
    [MemberData(nameof(LaunchConfigurationSamples.Wrong), MemberType = typeof(LaunchConfigurationSamples))]
    [MemberData(nameof(LaunchConfigurationSamples.WrongForTheReaderOnly), MemberType = typeof(LaunchConfigurationSamples))]
    public void Wrong_value_is_told_by_its_path(string json, string path)
    {
        var error = Assert.Single(Read(json).Errors);
        Assert.Equal(path, error.Path);
        Assert.True(error.Line > 0 && error.Column > 0);
    }

    [Fact]
    public void No_error_shows_an_environment_value_or_a_header()
    {
        string[] documents =
        [
            """{ "ContainerConfig": { "Env": ["secret-1", "=secret-2", { "secret-3": "secret-4" }] } }""",
            """{ "ContainerConfig": { "Env": { "secret-1": "secret-2" } } }""",
            """{ "ContainerConfig": { "Env": "secret-1" } }""",
            """{ "ContainerConfig": { "Env": ["A=secret-1" "B=secret-2"] } }""",
            """{ "ContainerConfig": { "Env": ["A=1", tsecret-1] } }""",
            """{ "ContainerConfig": { "Env": ["A="secret-1""] } }""",
            """{ "ContainerConfig": { "Env": ["A=secret-1\q"] } }""",
            """{ "ContainerConfig": { "Env": ["A=secret-1\ud800"] } }""",
            "{ \"ContainerConfig\": { \"Env\": [\"A=secret-1\n\"] } }",
            """{ "HealthCheck": { "Headers": { "Authorization": "secret-1\n" } } }""",
        ];
        foreach (var document in documents)
        {
            var result = Read(document);
            Assert.False(result.IsValid);
            Assert.DoesNotContain("secret", result.Describe(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Message_stays_on_one_line_and_short_whatever_the_name_is()
    {
        var error = Assert.Single(Read($$"""{ "ContainerConfig": { "Image": "a" }, "x\n\u001b{{new string('y', 5000)}}": 1 }""").Errors);
        Assert.DoesNotContain(error.ToString(), char.IsControl);
        Assert.True(error.ToString().Length < 400);
    }

    [Fact]
    public void Reader_answers_whatever_the_bytes_are()
    {
        var random = new Random(20150601);
        byte[][] samples = [.. LaunchConfigurationSamples.Right.Select(row => Encoding.UTF8.GetBytes(row.Data))];
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = samples[random.Next(samples.Length)].ToArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var result = LaunchConfigurationReader.Read(bytes);
            Assert.Equal(result.IsValid, result.Errors.Count == 0);
            Assert.All(result.Errors, e => Assert.True(e.Line > 0 && e.Column > 0));
        }
    }

    [Theory]
    [InlineData("""{ "3000/tcp": {} }""", 3000)]
    [InlineData("""{ "3000": {} }""", 3000)]
    [InlineData("""{ "53/udp": {}, "3000/tcp": {} }""", 3000)]
    [InlineData("""{ "80/tcp": {}, "3000/tcp": {} }""", 9292)]
    [InlineData("""{ "53/udp": {} }""", 9292)]
    public void Port_is_the_only_exposed_tcp_port_else_9292(string exposed, int port) =>
        Assert.Equal(port, Valid($$"""{ "ContainerConfig": { "Image": "a", "ExposedPorts": {{exposed}} } }""").ContainerPort);

    [Theory]
    [InlineData("status", "/status")]
    [InlineData("/status", "/status")]
    [InlineData("", "/")]
    public void Health_path_of_the_go_tool_gets_its_slash(string written, string path) =>
        Assert.Equal(path, Valid($$"""{ "ContainerConfig": { "Image": "a" }, "HealthCheckPath": "{{written}}" }""").HealthPath());

    [Fact]
    public void Forwarded_protocol_of_the_probe_can_be_set_in_any_case()
    {
        var probe = Valid("""{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "x-forwarded-proto": "http" } } }""").ToProbe();
        Assert.Equal(new Dictionary<string, string> { ["x-forwarded-proto"] = "http" }, probe.Headers);
    }

    [Theory]
    [InlineData("""{ "ContainerConfig": { "Image": "a", "StopTimeout": 25 } }""", 25)]
    [InlineData("""{ "ContainerConfig": { "Image": "a", "StopTimeout": 25 }, "Stop": { "Signal": "INT" } }""", 25)]
    [InlineData("""{ "ContainerConfig": { "Image": "a", "StopTimeout": 25 }, "Stop": { "Timeout": "7s" } }""", 7)]
    public void Stop_timeout_of_the_engine_counts_where_there_is_no_other(string json, int seconds) =>
        Assert.Equal(seconds, Valid(json).Stop.Timeout.TotalSeconds);

    private static LaunchConfiguration Valid(string json)
    {
        var result = Read(json);
        Assert.Equal("", result.Describe());
        return result.Configuration!;
    }

    private static LaunchConfigurationResult Read(string json) => LaunchConfigurationReader.Read(Encoding.UTF8.GetBytes(json));
}
