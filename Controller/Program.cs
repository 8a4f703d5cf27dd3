using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Reconciling;

var context = new CommandContext(
    Console.Out,
    Console.Error,
    Environment.GetEnvironmentVariable,
    TimeProvider.System,
    ReconcilerComposition.Build)
{
    IsTerminal = !Console.IsOutputRedirected,
    Width = () => Console.WindowWidth is > 0 and var width ? width : CommandContext.UsualWidth,
};
return await CommandLine.RunAsync(args, context);
