namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>A host with a Docker Engine, a registry and an S3 server of its own, in the network namespace that this process runs in.</summary>
/// <remarks>Each property comes from <c>lab.sh env</c>. A test that breaks something repairs it with <see cref="RestoreAsync"/>.</remarks>
public sealed class LabHost
{
    // lab.sh has shorter deadlines of its own and says what it waited for.
    private static readonly TimeSpan ControlDeadline = TimeSpan.FromSeconds(120);

    private readonly string _control = Variable("WUNDERPROXY_LAB_CONTROL");

    public LabHost() => Samples = new SampleImages(Registry, Path.Combine(Repository, "IntegrationTests/SampleApplication/build-image.sh"));

    /// <summary>Root folder of this checkout.</summary>
    public string Repository => Path.GetFullPath("../../..", _control);

    /// <summary>Address of the engine: <c>unix:///…/docker.sock</c>.</summary>
    public string Docker { get; } = Variable("WUNDERPROXY_LAB_DOCKER");

    /// <summary>Path of the engine's socket.</summary>
    public string DockerSocket => Docker["unix://".Length..];

    /// <summary>Host and port of the registry, plain HTTP.</summary>
    public string Registry { get; } = Variable("WUNDERPROXY_LAB_REGISTRY");

    /// <summary>URL of the S3 server: path style, region us-east-1.</summary>
    public string S3Endpoint { get; } = Variable("WUNDERPROXY_LAB_S3");

    public string S3AccessKey { get; } = Variable("WUNDERPROXY_LAB_S3_ACCESS_KEY");

    public string S3SecretKey { get; } = Variable("WUNDERPROXY_LAB_S3_SECRET_KEY");

    /// <summary>Scratch folder that is removed with the lab.</summary>
    public string Directory { get; } = Variable("WUNDERPROXY_LAB_DIR");

    /// <summary>Versions of the sample application.</summary>
    public SampleImages Samples { get; }

    /// <summary>SIGKILL: the containers go on, the engine doesn't answer.</summary>
    public Task KillDockerdAsync() => ControlAsync("dockerd", "kill");

    /// <summary>SIGTERM: the containers end, too, unless it was started with <c>--live-restore</c>.</summary>
    public Task StopDockerdAsync() => ControlAsync("dockerd", "stop");

    /// <summary>SIGSTOP: the engine takes calls and doesn't answer them until <see cref="ResumeDockerdAsync"/>.</summary>
    public Task PauseDockerdAsync() => ControlAsync("dockerd", "pause");

    public Task ResumeDockerdAsync() => ControlAsync("dockerd", "resume");

    /// <summary>Starts the engine unless it runs, and waits until it answers.</summary>
    /// <param name="options">Further options of dockerd.</param>
    public Task StartDockerdAsync(params string[] options) => ControlAsync(["dockerd", "start", .. options]);

    public Task StopRegistryAsync() => ControlAsync("registry", "stop");

    public Task StartRegistryAsync() => ControlAsync("registry", "start");

    /// <summary>Connections to the S3 server are refused from now on; its objects stay.</summary>
    public Task StopS3Async() => ControlAsync("s3", "stop");

    public Task StartS3Async() => ControlAsync("s3", "start");

    /// <summary>Makes the S3 server misbehave until <see cref="EndS3FaultAsync"/>.</summary>
    public Task S3FaultAsync(S3Fault fault) => ControlAsync("s3", "fault", Name(fault));

    public Task EndS3FaultAsync(S3Fault fault) => ControlAsync("s3", "unfault", Name(fault));

    /// <summary>Reading this key answers 500 until it is written anew.</summary>
    public Task BreakS3ObjectAsync(string key) => ControlAsync("s3", "fault", "get500", key);

    /// <summary>
    /// Kills engine, containers, registry, S3 gateway, Controllers and Proxies all at once. Disks, the objects in S3 and this process stay.
    /// </summary>
    public Task PowerCutAsync() => ControlAsync("power-cut");

    /// <summary>Starts whatever of engine, registry and S3 server doesn't run.</summary>
    public Task RestoreAsync() => ControlAsync("up");

    /// <summary>Imports the machine's static busybox: the smallest image that does something; it names no command.</summary>
    public Task ImportBusyboxAsync(string reference) => ControlAsync("busybox", reference);

    /// <summary>A new folder below <see cref="Directory"/>.</summary>
    public string NewDirectory(string name)
    {
        var path = Path.Combine(Directory, $"{name}-{Guid.NewGuid():n}"[..(name.Length + 9)]);
        return System.IO.Directory.CreateDirectory(path).FullName;
    }

    private Task<string> ControlAsync(params string[] arguments) => Command.RunAsync(_control, arguments, ControlDeadline);

    private static string Name(S3Fault fault) => fault.ToString().ToLowerInvariant();

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException($"{name} is not set: this test needs the lab. ./test.sh starts it.");
}
