namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The real executable <c>wunderproxy</c>, as it was built.</summary>
public static class ControllerProcess
{
    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "wunderproxy");

    /// <summary>Any command of it, such as <c>run</c>, <c>status</c> or <c>validate</c>.</summary>
    public static RunningProcess Start(LabHost lab, params string[] arguments) => Start(lab, new Dictionary<string, string?>(), arguments);

    /// <summary>Any command of it, with further variables; null removes one.</summary>
    public static RunningProcess Start(LabHost lab, IDictionary<string, string?> variables, params string[] arguments)
    {
        var environment = Credentials(lab);
        foreach (var (name, value) in variables)
            environment[name] = value;
        return RunningProcess.Start(Executable, arguments, environment);
    }

    private static Dictionary<string, string?> Credentials(LabHost lab) => new()
    {
        ["AWS_ACCESS_KEY_ID"] = lab.S3AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = lab.S3SecretKey,
        ["AWS_REGION"] = "us-east-1",
    };
}
