using System.ComponentModel;
using System.Diagnostics;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Hooks;

/// <summary>Runs a program with the call on its standard input, and the main parts of it as variables. What it writes goes nowhere. It isn't run a second time for the same call, unless the Controller ended meanwhile.</summary>
/// <param name="path">Its absolute path; it gets no arguments.</param>
/// <param name="time">Clock of the deadline.</param>
internal sealed class HookProgram(string path, TimeProvider time) : IHook
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private const string SearchPath = "PATH";

    public string Name => path;

    public string Key => path;

    public async Task TellAsync(HookCall call, byte[] json, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        using var process = Started(call);
        try
        {
            await Task.WhenAll(
                WriteAsync(process, json, either.Token),
                process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, either.Token),
                process.StandardError.BaseStream.CopyToAsync(Stream.Null, either.Token),
                process.WaitForExitAsync(either.Token));
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new HookException($"it ran for longer than {Duration.Format(Limit)}, and was killed", isWorthAnotherTry: false, e);
        }

        if (process.ExitCode != 0)
        {
            throw new HookException($"it exited with code {process.ExitCode}", isWorthAnotherTry: false);
        }
    }

    private Process Started(HookCall call)
    {
        var start = new ProcessStartInfo(path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };

        // The Controller's own variables may hold credentials.
        start.Environment.Clear();
        start.Environment[SearchPath] = Environment.GetEnvironmentVariable(SearchPath) ?? "/usr/bin:/bin";
        start.Environment["WUNDERPROXY_EVENT"] = call.Event.Event.ToString();
        start.Environment["WUNDERPROXY_DELIVERY"] = call.Delivery;
        start.Environment["WUNDERPROXY_APPLICATION"] = call.Application;
        start.Environment["WUNDERPROXY_HOST"] = call.Host;
        start.Environment["WUNDERPROXY_HASH"] = call.Event.Hash;
        start.Environment["WUNDERPROXY_REVISION"] = call.Event.Revision;
        start.Environment["WUNDERPROXY_END"] = call.Event.End?.ToString() ?? "";
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new HookException($"it can't be started: {e.Message}", isWorthAnotherTry: false, e);
        }
    }

    private static async Task WriteAsync(Process process, byte[] json, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(json, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It doesn't read what it is told; its exit code says whether that is well.
        }
    }
}
