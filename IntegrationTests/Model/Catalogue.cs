using System.Text.Json;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>The releases of the small world: A and B are good, C is bad in every way that a release can be.</summary>
internal static class Catalogue
{
    public const string Bad = "C";

    /// <summary>As in the product, but for bounds that are reached sooner, and no poll of the Proxy while requests drain.</summary>
    public static readonly PlanSettings Settings = new()
    {
        Application = "shop",
        Installation = "here",
        MaxStandbys = 1,
        MaxAttempts = 2,
        RetainedImages = 2,
        DrainPoll = TimeSpan.FromHours(1),
    };

    public static readonly TimeSpan LongestDrain = TimeSpan.FromSeconds(90);

    public static readonly string[] Names = ["A", "B", "C"];

    public static readonly string[] Hashes = [.. Names.Select(HashOf)];

    public static readonly IReadOnlyDictionary<string, Fact<LaunchConfiguration>> Configurations =
        Names.ToDictionary(HashOf, name => (Fact<LaunchConfiguration>)new Fact<LaunchConfiguration>.Known(Configuration(name)));

    public static readonly IReadOnlyDictionary<string, string> References = Names.ToDictionary(HashOf, name => $"image-{name}");

    private static readonly IReadOnlyDictionary<string, Fact<string>>[] ImagesHere = [.. Enumerable.Range(0, 8).Select(ImagesOf)];

    public static string HashOf(string name) => new(char.ToLowerInvariant(name[0]), 64);

    /// <summary>From 0, in the order of <see cref="Names"/>.</summary>
    public static int IndexOf(string hash) => hash[0] - 'a';

    public static string NameOf(string hash) => Names[IndexOf(hash)];

    /// <summary>The facts about images, where those in the set are here.</summary>
    public static IReadOnlyDictionary<string, Fact<string>> Images(int here) => ImagesHere[here];

    private static Dictionary<string, Fact<string>> ImagesOf(int here) =>
        Names.ToDictionary(HashOf, name => (Fact<string>)new Fact<string>.Known((here & (1 << IndexOf(HashOf(name)))) != 0 ? $"id-{name}" : ""));

    private static LaunchConfiguration Configuration(string name) => new()
    {
        Revision = name,
        ContainerConfig = JsonElement.Parse("{}"),
        Drain = new DrainSpec { Timeout = LongestDrain },
        Preview = new Preview(),
    };
}
