using System.Text.Json;

namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>All findings so far, in a file, so that a run can go on where the one before it stopped.</summary>
internal sealed class Findings
{
    private readonly string _path;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Finding> _byKey = new(StringComparer.Ordinal);

    private Findings(string path) => _path = path;

    public static Findings Load(string path)
    {
        var findings = new Findings(path);
        foreach (var line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            var finding = JsonSerializer.Deserialize<Finding>(line)!;
            findings._byKey[finding.Key] = finding;
        }

        return findings;
    }

    public Finding Of(Mutant mutant)
    {
        lock (_lock)
            return _byKey.GetValueOrDefault(mutant.Key) ?? new Finding(mutant.Key, 0, null, null);
    }

    /// <summary>Lets the survivors among some mutants be tried anew.</summary>
    public void Forget(IEnumerable<Mutant> mutants)
    {
        foreach (var survivor in mutants.Where(m => Of(m).CaughtIn is null).ToList())
            Add(new Finding(survivor.Key, 0, null, null));
    }

    public void Add(Finding finding)
    {
        lock (_lock)
        {
            _byKey[finding.Key] = finding;
            File.AppendAllText(_path, $"{JsonSerializer.Serialize(finding)}\n");
        }
    }
}
