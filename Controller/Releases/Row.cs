namespace Wunderproxy.Controller.Releases;

/// <summary>One row of the plan.</summary>
/// <param name="Id">Short and stable; shown in the status and in the documentation.</param>
/// <param name="When">What is so, in words.</param>
/// <param name="Then">What is done, in words.</param>
/// <param name="Match">The step where the row matches; absent where it doesn't, or has nothing to do but wait.</param>
internal sealed record Row(string Id, string When, string Then, Func<Situation, Step?> Match);
