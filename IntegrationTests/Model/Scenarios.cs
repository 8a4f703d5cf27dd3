using System.Collections.Immutable;
using Wunderproxy.Controller.Journaling;
using Wunderproxy.Controller.Observing;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.IntegrationTests.Model;

/// <summary>Where the exploration begins.</summary>
internal static class Scenarios
{
    private const int LongestRun = 200;

    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A host on which nothing has ever been deployed, and one on which A serves.</summary>
    public static ImmutableArray<ModelState> Roots(Budget budget) => [Empty with { Budget = budget }, Serving with { Budget = budget }];

    private static ModelState Empty { get; } = new() { Now = Epoch, Journal = new Journal() };

    private static ModelState Serving { get; } = Run(Empty with { Current = new CurrentDocument.Valid(Catalogue.HashOf("A"), "etag") });

    private static ModelState Run(ModelState state)
    {
        for (var i = 0; i < LongestRun && Moves.Of(state, Round.Of(state, Plan.Rows)).FirstOrDefault(m => m.IsFair) is { } fair; i++)
            state = fair.After;
        return state;
    }
}
