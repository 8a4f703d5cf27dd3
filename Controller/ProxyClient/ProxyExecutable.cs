namespace Wunderproxy.Controller.ProxyClient;

/// <summary>Where the Proxy's executable is.</summary>
internal static class ProxyExecutable
{
    public const string Name = "wunderproxy-proxy";

    /// <summary>Looks beside the running executable, then in the build output of a development tree, then on the search path.</summary>
    /// <param name="baseDirectory">Directory of the running executable.</param>
    /// <param name="searchPath">Directories separated by colons, as in <c>PATH</c>.</param>
    /// <returns>Full path, or <see langword="null"/> if it is in none of them.</returns>
    public static string? Find(string baseDirectory, string? searchPath) =>
        Candidates(baseDirectory, searchPath).Select(directory => Path.Combine(directory, Name)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Candidates(string baseDirectory, string? searchPath) =>
        [baseDirectory, .. DevelopmentOutput(baseDirectory), .. (searchPath ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)];

    // …/Controller/bin/Debug/net10.0 has its like at …/Proxy/bin/Debug/net10.0.
    private static IEnumerable<string> DevelopmentOutput(string baseDirectory)
    {
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(baseDirectory));
        var configuration = framework.Parent;
        return configuration?.Parent is { Name: "bin", Parent: { Name: "Controller", Parent: { } root } }
            ? [Path.Combine(root.FullName, "Proxy", "bin", configuration.Name, framework.Name)]
            : [];
    }
}
