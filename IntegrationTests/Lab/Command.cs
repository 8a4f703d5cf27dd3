using System.Diagnostics;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>Runs a program to its end.</summary>
public static class Command
{
    /// <returns>What it wrote to its standard output, without the last line end.</returns>
    /// <exception cref="InvalidOperationException">It exited with another code than 0; the message has its output.</exception>
    /// <exception cref="TimeoutException">It was killed at the deadline.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, TimeSpan deadline)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var end = new CancellationTokenSource(deadline, TimeProvider.System);
        var output = process.StandardOutput.ReadToEndAsync(end.Token);
        var errors = process.StandardError.ReadToEndAsync(end.Token);
        try
        {
            await process.WaitForExitAsync(end.Token);
            var call = $"{program} {string.Join(' ', start.ArgumentList)}";
            return process.ExitCode == 0
                ? (await output).TrimEnd('\n')
                : throw new InvalidOperationException($"{call} exited with code {process.ExitCode}:\n{await errors}{await output}");
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end within {deadline}.", e);
        }
    }
}
