using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>A program that runs beside the test: its output is kept, it can be signalled, and it never outlives its disposal.</summary>
public sealed class RunningProcess : IAsyncDisposable
{
    private const int OutputCap = 1 << 20;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    private static readonly TimeSpan KillDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly OutputTail _output = new(OutputCap);

    private RunningProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => _output.Append(line.Data);
        process.ErrorDataReceived += (_, line) => _output.Append(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The latest MiB of what it wrote to both outputs.</summary>
    public string Output => _output.ToString();

    /// <summary>Characters that it wrote to both outputs so far.</summary>
    public long OutputLength => _output.Length;

    /// <param name="program">Path, or name of a program on PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables besides those of the test; null removes one.</param>
    public static RunningProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;
        return new RunningProcess(Process.Start(start)!);
    }

    public void Terminate() => Signal(SigTerm);

    public void Kill() => Signal(SigKill);

    /// <summary>Stops it until <see cref="Resume"/>. When this returns it does nothing any more: a signal alone leaves it some time.</summary>
    public void Pause()
    {
        Signal(SigStop);
        SpinWait.SpinUntil(() => _process.HasExited || IsStopped(), StopLimit);
    }

    public void Resume() => Signal(SigCont);

    /// <returns>Its exit code; 128 and the signal's number where a signal ended it.</returns>
    /// <exception cref="TimeoutException">It still ran at the deadline; the message has its output.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan deadline)
    {
        using var end = new CancellationTokenSource(deadline, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(end.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"Process {Id} still ran after {deadline.TotalSeconds:0.#} s. Its output:\n{Output}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        try
        {
            using var end = new CancellationTokenSource(KillDeadline, TimeProvider.System);
            await _process.WaitForExitAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            // A child that outlives it keeps its outputs open; the process itself is gone.
        }

        _process.Dispose();
    }

    // 4242 (name) T 1 ...
    private bool IsStopped()
    {
        try
        {
            return Directory.GetDirectories($"/proc/{Id}/task").Select(task => File.ReadAllText($"{task}/stat")).All(stat => stat[stat.LastIndexOf(')') + 2] == 'T');
        }
        catch (IOException)
        {
            // A thread has just ended.
            return false;
        }
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited)
            _ = SendSignal(Id, signal);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
