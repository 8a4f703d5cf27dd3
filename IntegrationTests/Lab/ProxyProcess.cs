namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The real executable <c>wunderproxy-proxy</c>, as it was built.</summary>
public static class ProxyProcess
{
    public static string Executable { get; } = Path.Combine(ControllerProcess.Folder, "wunderproxy-proxy");

    /// <param name="variables">Variables besides those of the test; null removes one.</param>
    /// <param name="arguments">Its arguments.</param>
    public static RunningProcess Start(IReadOnlyDictionary<string, string?> variables, params string[] arguments) => RunningProcess.Start(Executable, arguments, variables);

    public static RunningProcess Start(params string[] arguments) => RunningProcess.Start(Executable, arguments);
}
