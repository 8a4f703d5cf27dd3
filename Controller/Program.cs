using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Reconciling;

var context = new CommandContext(
    Console.Out,
    Console.Error,
    Environment.GetEnvironmentVariable,
    TimeProvider.System,
    ReconcilerComposition.Build);
return await CommandLine.RunAsync(args, context);
