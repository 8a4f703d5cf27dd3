using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Deploy;

/// <summary>What is installed below a temporary folder, once for all tests: a copy of what the whole run is about, else built for these tests.</summary>
public sealed class InstalledPrefix : IAsyncLifetime
{
    private static readonly TimeSpan BuildDeadline = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan ScriptDeadline = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wunderproxy-install-");

    public string Path => _folder.FullName;

    public async ValueTask InitializeAsync() => await (ControllerProcess.Folder.EndsWith("/usr/local/bin", StringComparison.Ordinal)
        ? Command.RunAsync("cp", ["-r", $"{ControllerProcess.Folder}/../../../.", Path], ScriptDeadline)
        : RunAsync("install.sh", ["--prefix", Path], BuildDeadline));

    public static Task<string> RunAsync(string script, params string[] arguments) => RunAsync(script, arguments, ScriptDeadline);

    // What is installed may have to be fetched first, and the lab's namespace has no way out: the scripts run in the machine's own.
    private static Task<string> RunAsync(string script, string[] arguments, TimeSpan deadline) =>
        Command.RunAsync("nsenter", [$"--net={Environment.GetEnvironmentVariable("WUNDERPROXY_MACHINE_NETWORK")}", Script(script), .. arguments], deadline);

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Script(string name, [System.Runtime.CompilerServices.CallerFilePath] string here = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(here, "../../../deploy", name));
}

/// <summary>deploy/install.sh. It builds self-contained binaries, which takes its time; hence not among the fast tests.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class InstallationTests(InstalledPrefix prefix) : IClassFixture<InstalledPrefix>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("wunderproxy")]
    [InlineData("wunderproxy-proxy")]
    public async Task Installed_binary_runs_without_anything_beside_it(string name)
    {
        var alone = Directory.CreateDirectory(Path.Combine(prefix.Path, $"alone-{name}"));
        var copy = Path.Combine(alone.FullName, name);
        File.Copy(Path.Combine(prefix.Path, "usr/local/bin", name), copy);

        var version = await Command.RunAsync("env", ["-i", copy, "--version"], Deadline);

        Assert.Matches(@"^\d+\.\d+\.\d+", version);
    }

    [Fact]
    public async Task Units_are_understood_by_systemd_and_little_exposed() =>
        await InstalledPrefix.RunAsync("check-units.sh", prefix.Path);

    [Fact]
    public async Task Dry_run_changes_nothing()
    {
        var folder = Path.Combine(prefix.Path, "dry");

        var output = await InstalledPrefix.RunAsync("install.sh", "--prefix", folder, "--dry-run");

        Assert.Contains($"{folder}/usr/local/bin/wunderproxy", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Uninstalling_leaves_the_settings()
    {
        var folder = Directory.CreateDirectory(Path.Combine(prefix.Path, "left")).FullName;
        await Command.RunAsync("cp", ["-r", Path.Combine(prefix.Path, "usr"), Path.Combine(prefix.Path, "etc"), folder], Deadline);
        await using (File.Create(Path.Combine(folder, "etc/wunderproxy/shop.env")))
        {
        }

        await InstalledPrefix.RunAsync("install.sh", "uninstall", "--prefix", folder);

        Assert.Equal([Path.Combine(folder, "etc/wunderproxy/shop.env")], Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories));
    }
}
