namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The real executable <c>wunderproxy-proxy</c>, as it was built.</summary>
public static class ProxyProcess
{
    public static string Executable { get; } = Path.Combine(ControllerProcess.Folder, "wunderproxy-proxy");

    public static RunningProcess Start(params string[] arguments) => RunningProcess.Start(Executable, arguments);
}
