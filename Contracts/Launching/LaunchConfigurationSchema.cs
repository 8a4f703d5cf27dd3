namespace Wunderproxy.Contracts.Launching;

/// <summary>The JSON Schema (draft 7) of the launch configuration, for editors and other programs.</summary>
/// <remarks>
/// Whatever <see cref="LaunchConfigurationReader"/> takes in the documented case of its names, the schema takes too. The Reader is stricter in what a
/// schema can't say: ranges of durations and statuses, and names that differ in case only.
/// </remarks>
public static class LaunchConfigurationSchema
{
    private const string Resource = "launch-configuration.schema.json";

    /// <summary>The schema's text.</summary>
    public static string Text { get; } = Load();

    private static string Load()
    {
        using var stream = typeof(LaunchConfigurationSchema).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly was built without its resource {Resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
