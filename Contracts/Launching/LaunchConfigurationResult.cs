using System.Diagnostics.CodeAnalysis;

namespace Wunderproxy.Contracts.Launching;

/// <summary>What reading a launch configuration gave: the configuration, or everything that is wrong with it.</summary>
/// <param name="Configuration">Absent where there are errors.</param>
/// <param name="Errors">In the order of the text, at most <see cref="LaunchConfigurationReader.MaxErrors"/>.</param>
public sealed record LaunchConfigurationResult(LaunchConfiguration? Configuration, IReadOnlyList<ConfigurationError> Errors)
{
    /// <summary>Whether the configuration can be used.</summary>
    [MemberNotNullWhen(true, nameof(Configuration))]
    public bool IsValid => Configuration is not null;

    /// <summary>All errors, one a line; empty where there are none.</summary>
    public string Describe() => string.Join('\n', Errors);
}

/// <summary>One thing that is wrong with a configuration. It never contains the value of an environment variable or a header.</summary>
/// <param name="Path">JSON path of the value, such as <c>$.HealthCheck.Timeout</c>.</param>
/// <param name="Problem">What is wrong with the value.</param>
/// <param name="Fix">What to write instead.</param>
/// <param name="Line">Line of the value, from 1; absent where the text isn't at hand.</param>
/// <param name="Column">Column of the value in UTF-16 characters, from 1.</param>
public sealed record ConfigurationError(string Path, string Problem, string Fix, int? Line = null, int? Column = null)
{
    /// <summary>The error as a sentence for people.</summary>
    public override string ToString() => Line is null ? $"{Path}: {Problem} {Fix}" : $"{Path} (line {Line}, column {Column}): {Problem} {Fix}";
}
