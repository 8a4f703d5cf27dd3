namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The real executable <c>wunderproxy</c>, as it was built, or as it was installed where <see cref="Folder"/> says so.</summary>
public static class ControllerProcess
{
    /// <summary>Folder of the executables: that of the variable WUNDERPROXY_BINARIES, else the tests' own.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("WUNDERPROXY_BINARIES") is { Length: > 0 } folder ? folder : AppContext.BaseDirectory;

    public static string Executable { get; } = Path.Combine(Folder, "wunderproxy");

    /// <summary>Any command of it, such as <c>run</c>, <c>status</c> or <c>validate</c>.</summary>
    public static RunningProcess Start(LabHost lab, params string[] arguments) => Start(lab, new Dictionary<string, string?>(), arguments);

    /// <summary>Any command of it, with further variables; null removes one.</summary>
    public static RunningProcess Start(LabHost lab, IDictionary<string, string?> variables, params string[] arguments) =>
        RunningProcess.Start(Executable, arguments, EnvironmentOf(lab, variables));

    /// <summary>The same for which another file is <c>/etc/hosts</c>.</summary>
    public static RunningProcess StartWithHosts(LabHost lab, string hosts, IDictionary<string, string?> variables, params string[] arguments) => RunningProcess.Start(
        "unshare", ["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts, Executable, .. arguments], EnvironmentOf(lab, variables));

    private static Dictionary<string, string?> EnvironmentOf(LabHost lab, IDictionary<string, string?> variables)
    {
        var environment = Credentials(lab);
        foreach (var (name, value) in variables)
            environment[name] = value;
        return environment;
    }

    private static Dictionary<string, string?> Credentials(LabHost lab) => new()
    {
        ["AWS_ACCESS_KEY_ID"] = lab.S3AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = lab.S3SecretKey,
        ["AWS_REGION"] = "us-east-1",
    };
}
