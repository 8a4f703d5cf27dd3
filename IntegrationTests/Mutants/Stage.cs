namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>A part of the tests that every mutant has to survive before the next, slower one is tried on it.</summary>
/// <param name="Name">Shown as what caught a mutant.</param>
/// <param name="Arguments">For the test runner.</param>
/// <param name="Deadline">A mutant whose tests take longer is taken to go on forever. Many times what they take without one.</param>
internal sealed record Stage(string Name, IReadOnlyList<string> Arguments, TimeSpan Deadline)
{
    public const string Compiler = "compiler";
    public const string Model = "model";

    /// <summary>From the quickest on.</summary>
    public static IReadOnlyList<Stage> All { get; } =
    [
        new("tests", ["-namespace", "Wunderproxy.IntegrationTests.Releases", "-namespace", "Wunderproxy.IntegrationTests.Reconciling"], TimeSpan.FromSeconds(20)),
        new(Model, ["-class", "*ModelTests"], TimeSpan.FromMinutes(4)),
        new("simulation", ["-class", "*SimulationTests"], TimeSpan.FromMinutes(4)),
    ];
}
