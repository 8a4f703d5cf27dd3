namespace Wunderproxy.Controller.Comparing;

/// <summary>One value that two launch configurations don't have in common.</summary>
/// <param name="Path">Where it is, such as <c>HealthCheck.Timeout</c> or <c>ContainerConfig.Env.RACK_ENV</c>.</param>
/// <param name="Before">The value before, as JSON; <see cref="ConfigurationDiff.Hidden"/> where it may be secret; absent: there was none.</param>
/// <param name="After">The value after.</param>
internal sealed record Difference(string Path, string? Before, string? After);
