using Wunderproxy.Controller.Cli;
using Wunderproxy.Controller.Reconciling;

namespace Wunderproxy.IntegrationTests.Cli;

/// <summary>Runs the command line in a folder of its own, without the environment of the test process.</summary>
internal sealed class CommandRun : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("wp-cli");
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public Dictionary<string, string> Environment { get; } = [];

    public Func<ControllerParts, IReconciler> Reconciler { get; set; } = _ => throw new InvalidOperationException("This test needs no reconciler.");

    public bool IsTerminal { get; set; }

    public string Output => _output.ToString();

    public string Errors => _errors.ToString();

    public CommandContext Context => new(_output, _errors, Environment.GetValueOrDefault, TimeProvider.System, Reconciler) { IsTerminal = IsTerminal };

    public Task<ExitCode> Async(params string[] arguments) => Async(arguments, CancellationToken.None);

    /// <summary>Runs it until it is interrupted.</summary>
    public async Task<ExitCode> Async(string[] arguments, CancellationToken interrupt) => (ExitCode)await CommandLine.RunAsync(arguments, Context, interrupt);

    public string At(string relative) => Path.Combine(_directory.FullName, relative);

    public string Write(string name, string content)
    {
        using var file = File.CreateText(At(name));
        file.Write(content);
        return At(name);
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
