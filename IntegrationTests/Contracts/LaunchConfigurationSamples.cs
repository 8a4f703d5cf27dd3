namespace Wunderproxy.IntegrationTests.Contracts;

/// <summary>Configurations on which the reader and the schema must agree, and those where a schema can't say what is wrong.</summary>
public static class LaunchConfigurationSamples
{
    /// <summary>Nothing is wrong with them.</summary>
    public static TheoryData<string> Right => new([
        """{ "ContainerConfig": { "Image": "a" } }""",
        """{ "ContainerConfig": {}, "Revision": "2f1c9e0" }""",
        """{ "$schema": "launch-configuration.schema.json", "ContainerConfig": { "Image": "a" }, "Revision": "any name / at all" }""",
        """{ "ContainerConfig": { "Image": null, "Env": null, "ExposedPorts": null, "Anything": 1 }, "HostConfig": null, "HealthCheckPath": "", "Revision": "v1", "ForceReload": false }""",
        """{ "ContainerConfig": { "Image": "a", "Env": ["A=", "B=c=d", "C=\n"], "ExposedPorts": { "80/tcp": {}, "53/udp": {}, "81": null } }, "HostConfig": { "Anything": [] } }""",
        """{ "ContainerConfig": { "Image": "a" }, "Port": null, "MaintenancePath": null, "Artifact": null, "HealthCheckPath": null }""",
        """{ "ContainerConfig": { "Image": "a" }, "HealthCheckPath": "up?next=http://x/", "MaintenancePath": "/maintenance.html", "Port": 65535 }""",
        """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Path": "/", "Host": "[::1]:80", "Headers": { "X-A": "é\t" }, "ExpectedStatus": "200 , 204-299,304", "ExpectedBody": "ok" } }""",
        """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Interval": "100ms", "Timeout": ".5s", "Deadline": "1.m", "Successes": 1, "Failures": 100 } }""",
        """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": {}, "Drain": { "Timeout": "0ms", "StreamTimeout": "24h" }, "Stop": { "Signal": "SIGRTMIN+3", "Timeout": "1h" }, "Probation": {} }""",
        """{ "ContainerConfig": { "Image": "a" }, "Stop": { "Signal": "15" }, "Artifact": { "Key": "images/..shop/a.tar.gz" } }""",
        """{ "ContainerConfig": { "Image": "a" }, "Stop": { "Signal": null }, "Artifact": { "Bucket": "my.bucket", "Key": "a" } }""",
        """{ "ContainerConfig": { "Image": "a" }, "Routing": {} }""",
        """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": [], "PathPrefix": "/" } }""",
        """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": ["shop.example", "*.Shop.example", "10.0.0.1", "localhost"], "PathPrefix": "/shop/v2.1/%20;a=b" } }""",
    ]);

    /// <summary>One value is wrong, at that path.</summary>
    public static TheoryData<string, string> Wrong => new()
    {
        { "[]", "$" },
        { "null", "$" },
        { "{}", "$.ContainerConfig" },
        { """{ "ContainerConfig": null, "Revision": "a" }""", "$.ContainerConfig" },
        { """{ "ContainerConfig": [] }""", "$.ContainerConfig" },
        { """{ "ContainerConfig": {} }""", "$.ContainerConfig" },
        { """{ "ContainerConfig": {}, "Revision": "feature/x" }""", "$.ContainerConfig" },
        { """{ "ContainerConfig": { "Image": 5 } }""", "$.ContainerConfig.Image" },
        { """{ "ContainerConfig": { "Image": "a b" } }""", "$.ContainerConfig.Image" },
        { """{ "ContainerConfig": { "Image": "a", "Env": {} } }""", "$.ContainerConfig.Env" },
        { """{ "ContainerConfig": { "Image": "a", "Env": ["=a"] } }""", "$.ContainerConfig.Env[0]" },
        { """{ "ContainerConfig": { "Image": "a", "Env": [1] } }""", "$.ContainerConfig.Env[0]" },
        { """{ "ContainerConfig": { "Image": "a", "ExposedPorts": ["80/tcp"] } }""", "$.ContainerConfig.ExposedPorts" },
        { """{ "ContainerConfig": { "Image": "a", "ExposedPorts": { "80-90/tcp": {} } } }""", "$.ContainerConfig.ExposedPorts['80-90/tcp']" },
        { """{ "ContainerConfig": { "Image": "a", "ExposedPorts": { "80/tcp": 1 } } }""", "$.ContainerConfig.ExposedPorts['80/tcp']" },
        { """{ "ContainerConfig": { "Image": "a", "hostConfig": { "Privileged": true } } }""", "$.ContainerConfig.hostConfig" },
        { """{ "ContainerConfig": { "Image": "a", "NetworkingConfig": {} } }""", "$.ContainerConfig.NetworkingConfig" },
        { """{ "ContainerConfig": { "Image": "a" }, "HostConfig": 1 }""", "$.HostConfig" },
        { """{ "ContainerConfig": { "Image": "a" }, "Drain": null }""", "$.Drain" },
        { """{ "ContainerConfig": { "Image": "a" }, "Port": 80.5 }""", "$.Port" },
        { """{ "ContainerConfig": { "Image": "a" }, "Port": "80" }""", "$.Port" },
        { """{ "ContainerConfig": { "Image": "a" }, "ForceReload": "yes" }""", "$.ForceReload" },
        { """{ "ContainerConfig": { "Image": "a" }, "Revision": "a\nb" }""", "$.Revision" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheckPath": "http://evil/" }""", "$.HealthCheckPath" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheckPath": "//evil/" }""", "$.HealthCheckPath" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheckPath": "a b" }""", "$.HealthCheckPath" },
        { """{ "ContainerConfig": { "Image": "a" }, "MaintenancePath": "ä.html" }""", "$.MaintenancePath" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Path": "up" } }""", "$.HealthCheck.Path" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": null }""", "$.Routing" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": "shop.example" } }""", "$.Routing.Hosts" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": ["shop.example:80"] } }""", "$.Routing.Hosts[0]" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": ["a", "b.*.example"] } }""", "$.Routing.Hosts[1]" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": ["http://shop.example"] } }""", "$.Routing.Hosts[0]" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "shop" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "/shop/" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "/shop/../admin" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "/a b" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "/shop?x" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "PathPrefix": "" } }""", "$.Routing.PathPrefix" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Path": "/up\r\nX: y" } }""", "$.HealthCheck.Path" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Path": "/up#x" } }""", "$.HealthCheck.Path" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Host": "a/b" } }""", "$.HealthCheck.Host" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "X A": "1" } } }""", "$.HealthCheck.Headers['X A']" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "Host": "1" } } }""", "$.HealthCheck.Headers.Host" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "X": "1\r\nY: 2" } } }""", "$.HealthCheck.Headers.X" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "X": null } } }""", "$.HealthCheck.Headers.X" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "ExpectedStatus": "2xx" } }""", "$.HealthCheck.ExpectedStatus" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "ExpectedBody": "" } }""", "$.HealthCheck.ExpectedBody" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Timeout": "NaNs" } }""", "$.HealthCheck.Timeout" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Timeout": "-1s" } }""", "$.HealthCheck.Timeout" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Deadline": 120 } }""", "$.HealthCheck.Deadline" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Failures": 101 } }""", "$.HealthCheck.Failures" },
        { """{ "ContainerConfig": { "Image": "a" }, "Stop": { "Signal": "SIGFOO" } }""", "$.Stop.Signal" },
        { """{ "ContainerConfig": { "Image": "a" }, "Artifact": {} }""", "$.Artifact.Key" },
        { """{ "ContainerConfig": { "Image": "a" }, "Artifact": { "Key": "../x" } }""", "$.Artifact.Key" },
        { """{ "ContainerConfig": { "Image": "a" }, "Artifact": { "Key": "x", "Bucket": "s3://x" } }""", "$.Artifact.Bucket" },
    };

    /// <summary>The same, where only the reader can tell.</summary>
    public static TheoryData<string, string> WrongForTheReaderOnly => new()
    {
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Timeout": "9ms" } }""", "$.HealthCheck.Timeout" },
        { """{ "ContainerConfig": { "Image": "a" }, "Stop": { "Timeout": "2h" } }""", "$.Stop.Timeout" },
        { """{ "ContainerConfig": { "Image": "a" }, "Routing": { "Hosts": ["a", "A"] } }""", "$.Routing.Hosts[1]" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "ExpectedStatus": "299-200" } }""", "$.HealthCheck.ExpectedStatus" },
        { """{ "ContainerConfig": { "Image": "a", "ExposedPorts": { "70000/tcp": {} } } }""", "$.ContainerConfig.ExposedPorts['70000/tcp']" },
        { """{ "ContainerConfig": { "Image": "a" }, "HealthCheck": { "Headers": { "host": "1" } } }""", "$.HealthCheck.Headers.host" },
        { """{ "ContainerConfig": { "Image": "a" }, "Probation": { "Duration": "999999999999h" } }""", "$.Probation.Duration" },
    };
}
