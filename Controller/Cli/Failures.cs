using Wunderproxy.Controller.AdminClient;
using Wunderproxy.Controller.Desired;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.Following;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Cli;

/// <summary>What went wrong with a command, as a message and an exit code.</summary>
internal static class Failures
{
    /// <summary>Says it on standard error.</summary>
    public static ExitCode Report(string command, Exception failure, CommandContext context)
    {
        context.Lines.EndPassing();
        context.Error.WriteLine($"wunderproxy {command}: {failure.Message}");
        return CodeOf(failure);
    }

    /// <summary>Does something, and says what went wrong with it.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> GuardAsync(string command, CommandContext context, Func<Task<ExitCode>> run, CancellationToken cancellationToken)
    {
        try
        {
            return (int)await run();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return (int)ExitCode.Interrupted;
        }
        catch (Exception e) when (IsForeseen(e))
        {
            return (int)Report(command, e, context);
        }
    }

    /// <summary>Whether it is a failure that was foreseen, with a message for people.</summary>
    public static bool IsForeseen(Exception failure) => failure is AdminException or StoreException or EngineException or PublicationException or HistoryException or SettingException;

    public static ExitCode CodeOf(FollowEnd end) => end switch
    {
        FollowEnd.Serves or FollowEnd.StandsBy => ExitCode.Ok,
        FollowEnd.Superseded => ExitCode.Superseded,
        FollowEnd.Unreachable => ExitCode.Unreachable,
        FollowEnd.TimedOut => ExitCode.TimedOut,
        FollowEnd.Refused => ExitCode.Refused,
        FollowEnd.RolledBack => ExitCode.RolledBack,
        _ => ExitCode.ReleaseFailed,
    };

    private static ExitCode CodeOf(Exception failure) => failure switch
    {
        AdminException { Problem: { } problem } => CodeOfProblem(problem.Type),
        AdminException { Fault: AdminFault.Ambiguous } => ExitCode.TimedOut,
        AdminException => ExitCode.Unreachable,
        StoreException { Fault: StoreFault.NotFound } => ExitCode.NotFound,
        StoreException { Fault: StoreFault.Unavailable or StoreFault.Ambiguous } => ExitCode.StoreUnavailable,
        StoreException { Fault: StoreFault.NotWritable } => ExitCode.NotAccessible,
        SettingException or EngineException { Fault: EngineFault.NotFound } => ExitCode.NotFound,
        EngineException => ExitCode.Unreachable,
        _ => ExitCode.Refused,
    };

    private static ExitCode CodeOfProblem(string type) => type switch
    {
        "unknown-hash" or "unknown-deployment" => ExitCode.NotFound,
        "invalid-configuration" => ExitCode.InvalidDocument,
        "store-unavailable" => ExitCode.StoreUnavailable,
        "no-decision" => ExitCode.TimedOut,
        "release-failed" => ExitCode.ReleaseFailed,
        "release-rolled-back" => ExitCode.RolledBack,
        "superseded" or "cancelled" => ExitCode.Superseded,
        _ => ExitCode.Refused,
    };
}
