using System.Text;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Containers;

namespace Wunderproxy.IntegrationTests.Containers;

public sealed class ContainerBodyTests
{
    private static readonly AddressMode Bridge = new AddressMode.Bridge("wunderproxy", "172.30.0.2");

    [Fact]
    public void Least_configuration_becomes_a_complete_request() => Same(
        """
        {
          "Image": "sha256:42", "Env": [],
          "Labels": {
            "wunderproxy.installation": "i-1", "wunderproxy.application": "shop", "wunderproxy.hash": "d41d8cd98f00b204e9800998ecf8427e",
            "wunderproxy.revision": "2f1c9e0", "wunderproxy.incarnation": "1", "wunderproxy.port": "9292", "wunderproxy.address": "wunderproxy/172.30.0.2"
          },
          "StopTimeout": 10,
          "ExposedPorts": { "9292/tcp": {} },
          "HostConfig": { "RestartPolicy": { "Name": "no" }, "AutoRemove": false, "NetworkMode": "wunderproxy" },
          "NetworkingConfig": { "EndpointsConfig": { "wunderproxy": { "IPAMConfig": { "IPv4Address": "172.30.0.2" } } } }
        }
        """,
        Build("""{ "ContainerConfig": { "Image": "shop:1" } }""", Bridge));

    [Fact]
    public void Options_that_are_not_ours_are_handed_over_as_they_are()
    {
        var body = Build("""{ "ContainerConfig": { "Image": "a", "Cmd": ["x"], "Future": { "n": 1.50 }, "Labels": { "owner": "me" } }, "HostConfig": { "Memory": 5, "Init": true, "Future": [null] } }""", Bridge);
        Same("""["x"]""", body["Cmd"]);
        Assert.Equal("1.50", body["Future"]!["n"]!.ToJsonString());
        Assert.Equal("me", (string?)body["Labels"]!["owner"]);
        Same("""{ "Memory": 5, "Init": true, "Future": [null], "RestartPolicy": { "Name": "no" }, "AutoRemove": false, "NetworkMode": "wunderproxy" }""", body["HostConfig"]);
    }

    [Fact]
    public void What_is_ours_replaces_what_the_configuration_says_in_any_case_of_its_name()
    {
        var body = Build("""{ "ContainerConfig": { "image": "a", "env": ["A=1"], "labels": { "x": "y" }, "stopsignal": "SIGHUP" }, "HostConfig": { "restartPolicy": { "Name": "always" }, "autoremove": true, "networkmode": "bridge" }, "Stop": { "Signal": "INT", "Timeout": "1500ms" } }""", Bridge, ("B", "host"));
        Assert.Equal(["Image", "Env", "Labels", "StopSignal", "StopTimeout", "ExposedPorts", "HostConfig", "NetworkingConfig"], body.Select(m => m.Key));
        Assert.Equal(("sha256:42", "INT", 2, "y"), ((string?)body["Image"], (string?)body["StopSignal"], (int?)body["StopTimeout"], (string?)body["Labels"]!["x"]));
        Same("""["A=1", "B=host"]""", body["Env"]);
        Same("""{ "RestartPolicy": { "Name": "no" }, "AutoRemove": false, "NetworkMode": "wunderproxy" }""", body["HostConfig"]);
    }

    [Fact]
    public void Variables_of_the_host_are_added_and_the_configurations_own_win()
    {
        Same("""["B=", "Z=1=2", "A=host"]""", Build("""{ "ContainerConfig": { "Image": "a", "Env": ["B=", "Z=1=2"] } }""", Bridge, ("A", "host"), ("B", "host"), ("Z", "host"))["Env"]);
    }

    [Fact]
    public void Published_port_is_on_loopback_and_chosen_by_the_engine()
    {
        var body = Build("""{ "ContainerConfig": { "Image": "a", "ExposedPorts": { "9292/tcp": {}, "53/udp": {} } }, "HostConfig": { "NetworkMode": "backend", "PortBindings": { "9292/tcp": [{ "HostPort": "80" }] } } }""", new AddressMode.Published());
        Same("""{ "9292/tcp": {}, "53/udp": {} }""", body["ExposedPorts"]);
        Same("""{ "NetworkMode": "backend", "RestartPolicy": { "Name": "no" }, "AutoRemove": false, "PortBindings": { "9292/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "" }] } }""", body["HostConfig"]);
        Assert.Null(body["NetworkingConfig"]);
    }

    [Fact]
    public void Host_network_is_left_alone()
    {
        var body = Build("""{ "ContainerConfig": { "Image": "a" }, "HostConfig": { "NetworkMode": "host" } }""", new AddressMode.HostNetwork());
        Same("""{ "NetworkMode": "host", "RestartPolicy": { "Name": "no" }, "AutoRemove": false }""", body["HostConfig"]);
        Assert.Null(body["NetworkingConfig"]);
    }

    [Fact]
    public void Null_objects_of_the_go_tool_are_as_good_as_none()
    {
        var body = Build("""{ "ContainerConfig": { "Image": "a", "Env": null, "Labels": null, "ExposedPorts": null }, "HostConfig": null }""", Bridge);
        Same("""{ "9292/tcp": {} }""", body["ExposedPorts"]);
        Assert.Equal("shop", (string?)body["Labels"]![ContainerLabels.Application]);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("""{ "NetworkMode": "" }""", null)]
    [InlineData("""{ "NetworkMode": "default" }""", null)]
    [InlineData("""{ "networkMode": "bridge" }""", null)]
    [InlineData("""{ "NetworkMode": "host" }""", "host")]
    [InlineData("""{ "NetworkMode": "backend" }""", "published")]
    public void Configuration_decides_the_address_only_by_a_network_of_its_own(string hostConfig, string? mode) =>
        Assert.Equal(mode, AddressMode.FixedBy(Read($$"""{ "ContainerConfig": { "Image": "a" }, "HostConfig": {{hostConfig}} }"""))?.ToString());

    private static JsonObject Build(string json, AddressMode address, params (string Name, string Value)[] environment)
    {
        var configuration = Read(json);
        var identity = new ContainerIdentity
        {
            Installation = "i-1",
            Application = "shop",
            Hash = "d41d8cd98f00b204e9800998ecf8427e",
            Revision = "2f1c9e0",
            Incarnation = 1,
            Port = configuration.ContainerPort,
            Address = address,
        };
        return ContainerBody.Build(configuration, identity, "sha256:42", environment.ToDictionary(v => v.Name, v => v.Value));
    }

    private static LaunchConfiguration Read(string json) => LaunchConfigurationReader.Read(Encoding.UTF8.GetBytes(json)).Configuration!;

    private static void Same(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual?.ToJsonString());
}
