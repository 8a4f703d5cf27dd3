using System.Text.RegularExpressions;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>A copy of the tests in which the Controller can be replaced by a mutant.</summary>
internal sealed partial class TestCopy
{
    private const string Prefix = "Wunderproxy.IntegrationTests.";

    private readonly string _folder;

    /// <summary>Copies the tests as they were built.</summary>
    public TestCopy(string tests, string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        foreach (var path in Directory.EnumerateFiles(tests, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(tests, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy, overwrite: true);
        }
    }

    /// <summary>Tries a mutant.</summary>
    /// <returns>What caught it; absent: nothing in this stage.</returns>
    public async Task<(string In, string By)?> CatchAsync(ControllerSource source, Mutant? mutant, Stage stage)
    {
        if (source.Compile(mutant, Path.Combine(_folder, "wunderproxy.dll")) is { } error)
            return (Stage.Compiler, error);
        try
        {
            await Command.RunAsync("dotnet", [Path.Combine(_folder, $"{Prefix}dll"), "-noColor", "-stopOnFail", .. stage.Arguments], stage.Deadline);
            return null;
        }
        catch (TimeoutException)
        {
            return (stage.Name, "does not end");
        }
        catch (InvalidOperationException failure)
        {
            return (stage.Name, stage.Name == Stage.Model ? Promise(failure.Message) : Test(failure.Message));
        }
    }

    private static string Test(string output) => FailedTest().Match(output) is { Success: true } failed
        ? $"{failed.Groups["test"].Value.Replace(Prefix, "", StringComparison.Ordinal)}"
        : "the tests end early";

    private static string Promise(string output) => BrokenPromise().Match(output) is { Success: true } broken
        ? broken.Groups["promise"].Value.Trim()
        : FailedTest().Match(output) is { Success: true } failed ? failed.Groups["reason"].Value.Trim() : "the tests end early";

    //     Wunderproxy.IntegrationTests.Releases.PlanTests.Release_serves(faults: 1) [FAIL]
    //       Assert.Equal() Failure: Values differ
    [GeneratedRegex(@"^ +(?<test>[\w.]+)[^\n]* \[FAIL\]\n(?<reason>[^\n]*)", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex FailedTest();

    [GeneratedRegex(@"Broken: (?<promise>[^\n]*)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex BrokenPromise();
}
