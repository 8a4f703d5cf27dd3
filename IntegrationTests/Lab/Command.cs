using System.Diagnostics;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>Runs a program to its end.</summary>
public static class Command
{
    private const int OutputCap = 1 << 22;

    /// <returns>What it wrote to its standard output, without the last line end; the latest 4 MiB of it.</returns>
    /// <exception cref="InvalidOperationException">It exited with another code than 0; the message has its output.</exception>
    /// <exception cref="TimeoutException">It was killed at the deadline; the message has its output.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, TimeSpan deadline)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var call = $"{program} {string.Join(' ', start.ArgumentList)}";
        var output = new OutputTail(OutputCap);
        var errors = new OutputTail(OutputCap);
        using var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => output.Append(line.Data);
        process.ErrorDataReceived += (_, line) => errors.Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        using var end = new CancellationTokenSource(deadline, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(end.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{call} did not end within {deadline}:\n{errors}{output}", e);
        }

        return process.ExitCode == 0
            ? output.ToString().TrimEnd('\n')
            : throw new InvalidOperationException($"{call} exited with code {process.ExitCode}:\n{errors}{output}");
    }
}
