using Wunderproxy.IntegrationTests.Mutants;

// Started by run.sh with the folder of the repository and then its own arguments.
var root = args[0];
if (Options.Parse(args.AsSpan(1)) is not { } options)
    return 2;

var work = Path.Combine(root, "TestResults", "mutants");
var source = await ControllerSource.ReadAsync(Path.Combine(work, "compiler.json"), Path.Combine(root, "Controller"));
var all = source.MutantsIn("Releases").ToList();
var chosen = all.Where((m, i) => i + 1 >= options.From && i + 1 <= options.To && m.File.Contains(options.Only ?? "", StringComparison.OrdinalIgnoreCase)).ToList();
var findings = Findings.Load(Path.Combine(work, "findings.jsonl"));
if (options.Again)
    findings.Forget(chosen);
if (options.List)
{
    foreach (var mutant in chosen)
        await Console.Out.WriteLineAsync($"{all.IndexOf(mutant) + 1}. {mutant.Key}");
    return 0;
}

var tests = Path.Combine(root, "IntegrationTests", "bin", "Debug", "net10.0");
await new Sweep(source, findings, tests, work).RunAsync(chosen, options.Limit);
await File.WriteAllTextAsync(Path.Combine(root, "IntegrationTests", "Mutants", "MUTANTS.md"), Report.Of(all, findings));
var survivors = chosen.Where(m => findings.Of(m).CaughtIn is null && Reasons.Of(m) is null).ToList();
foreach (var mutant in survivors)
    await Console.Out.WriteLineAsync($"{all.IndexOf(mutant) + 1}. {mutant.Key}");
await Console.Out.WriteLineAsync($"{chosen.Count} mutants, {survivors.Count} not caught");
return survivors.Count == 0 ? 0 : 1;
