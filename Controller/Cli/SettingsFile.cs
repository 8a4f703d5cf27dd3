using System.Text.Json;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Controller.Cli;

/// <summary>A JSON file with settings: one object, keys matched without regard to case, comments allowed.</summary>
internal static class SettingsFile
{
    private const int CapBytes = 64 << 10;

    private static readonly JsonDocumentOptions Leniency = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="errors">Receives what is wrong with it, all at once.</param>
    /// <returns>What the file sets, as far as it could be read.</returns>
    public static IReadOnlyDictionary<Setting, SetValue> Read(string path, ICollection<string> errors)
    {
        var values = new Dictionary<Setting, SetValue>();
        try
        {
            using var document = JsonDocument.Parse(TextFile.Read(path, CapBytes), Leniency);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                errors.Add($"The settings file {path} is no JSON object. Write {{ \"StateDir\": \"/srv/shop\" }}, for instance.");
                return values;
            }

            foreach (var property in document.RootElement.EnumerateObject())
            {
                Take(property, path, values, errors);
            }
        }
        catch (SettingException e)
        {
            errors.Add($"The settings file '{path}' {e.Message}");
        }
        catch (JsonException e)
        {
            errors.Add($"The settings file {path} is no JSON: {e.Message}");
        }

        return values;
    }

    private static void Take(JsonProperty property, string path, Dictionary<Setting, SetValue> values, ICollection<string> errors)
    {
        var setting = RunOptions.All.FirstOrDefault(known => string.Equals(known.Key, property.Name, StringComparison.OrdinalIgnoreCase));
        if (setting is null)
        {
            var nearest = NearestName.To(property.Name, RunOptions.All.Select(known => known.Key));
            errors.Add($"The settings file {path} has the unknown key '{property.Name}'. Did you mean '{nearest}'?");
        }
        else if (TextOf(property.Value) is not { } text)
        {
            errors.Add($"{setting.Key} in {path} is neither a text, a number, true, false nor a list of texts.");
        }
        else if (!values.TryAdd(setting, new SetValue(text, $"{setting.Key} in {path}")))
        {
            errors.Add($"The settings file {path} has the key '{setting.Key}' twice. Remove one.");
        }
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array when value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            string.Join(',', value.EnumerateArray().Select(item => item.GetString())),
        _ => null,
    };
}
