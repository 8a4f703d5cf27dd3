using Wunderproxy.IntegrationTests.Benchmarks;
using Wunderproxy.IntegrationTests.Lab;

// Started by run.sh inside the lab's network namespace; the tables go to the standard output, what happens meanwhile to the other one.
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
        var run = subject switch
        {
            "deployments" => DeploymentBenchmark.RunAsync(lab, options, end.Token),
            "switch" => SwitchBenchmark.RunAsync(lab, options, end.Token),
            "storm" => StormBenchmark.RunAsync(lab, options, end.Token),
            "forwarding" => ForwardingBenchmark.RunAsync(lab, options, end.Token),
            _ => IdleBenchmark.RunAsync(lab, options, end.Token),
        };
        await Console.Out.WriteLineAsync(await run);
    }

    return 0;
}
catch (OperationCanceledException) when (end.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync($"The benchmarks did not end within {options.Deadline.TotalMinutes:0} minutes.");
    return 1;
}
