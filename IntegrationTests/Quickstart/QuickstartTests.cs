using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Quickstart;

/// <summary>The script that a newcomer runs first, in a network namespace and a folder of its own.</summary>
[Trait("Needs", "Lab")]
[Collection("Lab")]
public sealed class QuickstartTests(LabHost lab)
{
    // A minute on an idle machine; the first run builds Controller and Proxy for Release.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Quickstart_replaces_a_version_under_load_without_a_failed_request_and_cleans_up_after_itself()
    {
        var folder = lab.NewDirectory("quickstart");
        var network = Path.GetFileName(folder);
        try
        {
            AssertReplaced(await RunAsync(folder, network));
            AssertReplaced(await RunAsync(folder, network));
        }
        finally
        {
            await RunAsync(folder, network, "stop");
        }

        Assert.False(Directory.Exists(folder));
        Assert.DoesNotContain(network, await Command.RunAsync("ip", ["netns"], Deadline), StringComparison.Ordinal);
    }

    private static void AssertReplaced(string report)
    {
        Assert.Contains("failed: 0\n", report, StringComparison.Ordinal);
        Assert.Contains("versions seen: v1 ", report, StringComparison.Ordinal);
        Assert.Contains(" times, v2 ", report, StringComparison.Ordinal);
        Assert.Contains("v2 is left serving", report, StringComparison.Ordinal);
    }

    private Task<string> RunAsync(string folder, string network, params string[] arguments) => Command.RunAsync(
        "env", [$"QUICKSTART_DIR={folder}", $"NETNS={network}", Path.Combine(lab.Repository, "quickstart.sh"), .. arguments], Deadline);
}
