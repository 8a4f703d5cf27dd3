using System.Text;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Containers;

namespace Wunderproxy.IntegrationTests.Containers;

public sealed class ContainerPolicyTests
{
    [Theory]
    [InlineData("""{ "Memory": 536870912, "Init": true, "CapDrop": ["ALL"], "CapAdd": ["NET_BIND_SERVICE", "cap_sys_nice"], "ReadonlyRootfs": true }""")]
    [InlineData("""{ "Binds": ["/data/shop:/data", "cache:/cache", "/etc/localtime:/etc/localtime:ro", "/var/log/shop:/log", "/development:/x"] }""")]
    [InlineData("""{ "Mounts": [{ "Type": "bind", "Source": "/srv", "Target": "/srv" }, { "Type": "volume", "Source": "cache", "Target": "/c" }, { "Type": "tmpfs", "Target": "/t" }] }""")]
    [InlineData("""{ "Privileged": false, "PidMode": "", "IpcMode": "private", "UsernsMode": "", "Devices": [], "SecurityOpt": ["no-new-privileges", "apparmor=mine", "label=type:x"], "Binds": null }""")]
    [InlineData("""{ "NetworkMode": "host" }""")]
    [InlineData("""{ "NetworkMode": "backend" }""")]
    [InlineData("null")]
    public void Container_that_keeps_to_itself_is_allowed(string hostConfig) => Assert.Empty(Check(hostConfig, Permissions.None));

    [Theory]
    [InlineData("""{ "Privileged": true }""", "Privileged", "privileged")]
    [InlineData("""{ "privileged": true }""", "Privileged", "privileged")]
    [InlineData("""{ "PidMode": "host" }""", "PidMode", "host-namespaces")]
    [InlineData("""{ "PidMode": "container:db" }""", "PidMode", "host-namespaces")]
    [InlineData("""{ "ipcMode": "host" }""", "IpcMode", "host-namespaces")]
    [InlineData("""{ "UTSMode": "host" }""", "UTSMode", "host-namespaces")]
    [InlineData("""{ "Uſernsmode": "host" }""", "UsernsMode", "host-namespaces")]
    [InlineData("""{ "CgroupnsMode": "host" }""", "CgroupnsMode", "host-namespaces")]
    [InlineData("""{ "Binds": ["/data:/data", "/:/host"] }""", "Binds[1]", "host-paths")]
    [InlineData("""{ "Binds": ["//:/host"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/proc:/p"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/sys/fs/cgroup:/c"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/dev:/d"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/etc/:/e:ro"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/etc/shadow:/e:ro"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/./etc:/e"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/data/../etc:/e"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/var/run/docker.sock:/var/run/docker.sock"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/run/containerd/containerd.sock:/c"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/mnt/link/docker.sock:/c"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/var:/v"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/var/run:/v"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Binds": ["/var/lib/docker/volumes:/v"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "bindſ": ["/:/v"] }""", "Binds[0]", "host-paths")]
    [InlineData("""{ "Mounts": [{ "Type": "bind", "source": "/", "Target": "/h" }] }""", "Mounts[0]", "host-paths")]
    [InlineData("""{ "Mounts": [{ "Type": "volume", "Target": "/h", "VolumeOptions": { "DriverConfig": { "Name": "local", "Options": { "type": "none", "o": "bind", "device": "/" } } } }] }""", "Mounts[0]", "host-paths")]
    [InlineData("""{ "Mounts": [{ "Type": "volume", "Target": "/h", "VolumeOptions": { "DriverConfig": { "Options": { "type": "overlay", "device": "overlay", "o": "lowerdir=/etc,upperdir=/srv/u" } } } }] }""", "Mounts[0]", "host-paths")]
    [InlineData("""{ "CapAdd": ["CHOWN", "SYS_ADMIN"] }""", "CapAdd[1]", "capabilities")]
    [InlineData("""{ "CapAdd": ["CAP_SYS_PTRACE"] }""", "CapAdd[0]", "capabilities")]
    [InlineData("""{ "CapAdd": ["sys_module"] }""", "CapAdd[0]", "capabilities")]
    [InlineData("""{ "CapAdd": ["NET_ADMIN"] }""", "CapAdd[0]", "capabilities")]
    [InlineData("""{ "CapAdd": ["DAC_READ_SEARCH"] }""", "CapAdd[0]", "capabilities")]
    [InlineData("""{ "CapAdd": "ALL" }""", "CapAdd", "capabilities")]
    [InlineData("""{ "Devices": [{ "PathOnHost": "/dev/sda" }] }""", "Devices", "devices")]
    [InlineData("""{ "DeviceCgroupRules": ["b *:* rwm"] }""", "DeviceCgroupRules", "devices")]
    [InlineData("""{ "SecurityOpt": ["seccomp=unconfined"] }""", "SecurityOpt[0]", "security-options")]
    [InlineData("""{ "SecurityOpt": ["apparmor:unconfined"] }""", "SecurityOpt[0]", "security-options")]
    [InlineData("""{ "SecurityOpt": ["systempaths=unconfined"] }""", "SecurityOpt[0]", "security-options")]
    [InlineData("""{ "SecurityOpt": ["label=disable"] }""", "SecurityOpt[0]", "security-options")]
    [InlineData("""{ "MaskedPaths": [] }""", "MaskedPaths", "security-options")]
    [InlineData("""{ "NetworkMode": "container:db" }""", "NetworkMode", "container-network")]
    public void What_would_give_the_container_the_host_is_refused_until_the_operator_allows_it(string hostConfig, string path, string permission)
    {
        var error = Assert.Single(Check(hostConfig, Permissions.None));
        Assert.Equal($"$.HostConfig.{path}", error.Path);
        Assert.Contains($"--allow {permission}", error.Fix, StringComparison.Ordinal);

        Assert.Empty(Check(hostConfig, PermissionNames.Parse(permission)));
        var all = Enum.GetValues<Permissions>().Aggregate((a, b) => a | b);
        Assert.Single(Check(hostConfig, all & ~PermissionNames.Parse(permission)));
    }

    [Fact]
    public void All_refusals_are_told_at_once()
    {
        var errors = Check("""{ "Privileged": true, "PidMode": "host", "Binds": ["/:/a", "/etc:/b"], "CapAdd": ["ALL"] }""", Permissions.None);
        Assert.Equal(["$.HostConfig.Privileged", "$.HostConfig.PidMode", "$.HostConfig.Binds[0]", "$.HostConfig.Binds[1]", "$.HostConfig.CapAdd[0]"], errors.Select(e => e.Path));
    }

    [Fact]
    public void Every_member_of_a_name_is_looked_at_for_the_engine_may_take_any()
    {
        var configuration = LaunchConfigurationReader.Read("""{ "ContainerConfig": { "Image": "a" } }"""u8.ToArray()).Configuration!;
        var twice = System.Text.Json.JsonDocument.Parse("""{ "Privileged": true, "privileged": false, "Binds": ["/:/a"], "binds": [] }""").RootElement;
        Assert.Equal(2, ContainerPolicy.Check(configuration with { HostConfig = twice }, Permissions.None).Count);
    }

    [Theory]
    [InlineData("""{ "Image": "a", "Labels": { "wunderproxy.hash": "x" } }""", "null", "$.ContainerConfig.Labels")]
    [InlineData("""{ "Image": "a", "Labels": { "Wunderproxy.other": "x" } }""", "null", "$.ContainerConfig.Labels")]
    [InlineData("""{ "Image": "a", "NetworkDisabled": true }""", "null", "$.ContainerConfig.NetworkDisabled")]
    [InlineData("""{ "Image": "a" }""", """{ "NetworkMode": "none" }""", "$.HostConfig.NetworkMode")]
    public void What_the_controller_needs_for_itself_is_refused_whatever_is_allowed(string containerConfig, string hostConfig, string path) =>
        Assert.Equal(path, Assert.Single(Check(containerConfig, hostConfig, Enum.GetValues<Permissions>().Aggregate((a, b) => a | b))).Path);

    [Fact]
    public void Permissions_are_read_from_their_names()
    {
        Assert.Equal(Permissions.None, PermissionNames.Parse(""));
        Assert.Equal(Permissions.Privileged | Permissions.Devices, PermissionNames.Parse("privileged, devices,"));
        var error = Assert.Throws<FormatException>(() => PermissionNames.Parse("devices,everything"));
        Assert.Contains("'everything'", error.Message, StringComparison.Ordinal);
        Assert.Contains("host-paths", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_permission_has_a_name() =>
        Assert.Equal(Enum.GetValues<Permissions>().Where(p => p != Permissions.None), PermissionNames.All.Select(PermissionNames.Parse).Order());

    private static IReadOnlyList<ConfigurationError> Check(string hostConfig, Permissions allowed) => Check("""{ "Image": "a" }""", hostConfig, allowed);

    private static IReadOnlyList<ConfigurationError> Check(string containerConfig, string hostConfig, Permissions allowed)
    {
        var result = LaunchConfigurationReader.Read(Encoding.UTF8.GetBytes($$"""{ "ContainerConfig": {{containerConfig}}, "HostConfig": {{hostConfig}} }"""));
        Assert.Equal("", result.Describe());
        return ContainerPolicy.Check(result.Configuration!, allowed);
    }
}
