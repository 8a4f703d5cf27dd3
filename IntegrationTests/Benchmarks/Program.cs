using Wunderproxy.IntegrationTests.Benchmarks;
using Wunderproxy.IntegrationTests.Lab;

// Started by run.sh inside the lab's network namespace; the tables go to the standard output, what happens meanwhile to the other one.
if (await LoadProcess.TryRunAsync(args))
{
    return 0;
}

if (BenchmarkOptions.Parse(args) is not { } options)
{
    await Console.Error.WriteLineAsync(BenchmarkOptions.Usage);
    return 2;
}

using var end = new CancellationTokenSource(options.Deadline, TimeProvider.System);
var lab = new LabHost();
try
{
    await Console.Out.WriteLineAsync(await Machine.DescribeAsync());
    foreach (var subject in options.Subjects)
    {
        await Console.Error.WriteLineAsync($"--- {subject}");
        await foreach (var table in TablesOf(subject))
            await Console.Out.WriteLineAsync(table);
    }

    return 0;
}
catch (OperationCanceledException) when (end.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync($"The benchmarks did not end within {options.Deadline.TotalMinutes:0} minutes.");
    return 1;
}

IAsyncEnumerable<string> TablesOf(string subject) => subject switch
{
    "deployments" => OneAsync(DeploymentBenchmark.RunAsync(lab, options, end.Token)),
    "switch" => OneAsync(SwitchBenchmark.RunAsync(lab, options, end.Token)),
    "storm" => OneAsync(StormBenchmark.RunAsync(lab, options, end.Token)),
    "forwarding" => ForwardingBenchmark.RunAsync(lab, options, end.Token),
    "features" => FeatureBenchmark.RunAsync(lab, options, end.Token),
    "slow" => OneAsync(SlowBenchmark.RunAsync(lab, options, end.Token)),
    "commands" => OneAsync(CommandBenchmark.RunAsync(lab, options, end.Token)),
    _ => OneAsync(IdleBenchmark.RunAsync(lab, options, end.Token)),
};

static async IAsyncEnumerable<string> OneAsync(Task<string> table)
{
    yield return await table;
}
