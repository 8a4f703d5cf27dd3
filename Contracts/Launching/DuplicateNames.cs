namespace Wunderproxy.Contracts.Launching;

/// <summary>Finds names that occur twice in one object. Which one counts differs between programs, so none may.</summary>
internal static class DuplicateNames
{
    // Maps of the engine whose names belong to the user; everywhere else the engine takes "Image" and "image" for the same.
    private static readonly HashSet<string> EngineMaps = new(EngineObject.Names)
    {
        "Annotations", "Config", "DriverOpts", "ExposedPorts", "Labels", "Options", "PortBindings", "StorageOpt", "Sysctls", "Tmpfs", "Volumes",
    };

    /// <summary>Notes each name that occurred before in its object, in this value and all below.</summary>
    public static void Check(SourceText source, SourceValue value, string nameOfValue = "")
    {
        var seen = new HashSet<string>(EngineMaps.Contains(nameOfValue) ? StringComparer.Ordinal : EngineObject.Names);
        foreach (var member in value.Members)
        {
            if (!seen.Add(member.Name))
            {
                source.Add(member.Start, member.Value.Path, $"There is a property \"{SourceParser.Shown(member.Name)}\" already, perhaps in other case.", "Keep one of them.");
            }

            Check(source, member.Value, member.Name);
        }

        foreach (var item in value.Items)
        {
            Check(source, item);
        }
    }
}
