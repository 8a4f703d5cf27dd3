using Wunderproxy.Controller.Cli;

var context = new CommandContext(
    Console.Out,
    Console.Error,
    Environment.GetEnvironmentVariable,
    TimeProvider.System,
    _ => throw new NotSupportedException("This build has no reconciler yet."));
return await CommandLine.RunAsync(args, context);
