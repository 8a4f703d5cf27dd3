namespace Wunderproxy.Proxy.Hosting;

/// <summary>The Proxy can't start; the message says what is in the way and what to do.</summary>
internal sealed class StartException(ExitCode exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How the process ends.</summary>
    public ExitCode ExitCode { get; } = exitCode;
}

/// <summary>How the process ends.</summary>
internal enum ExitCode
{
    /// <summary>Stopped as told.</summary>
    Stopped = 0,

    /// <summary>An error that should not exist.</summary>
    Failed = 1,

    /// <summary>The command line can't be understood.</summary>
    Usage = 2,

    /// <summary>An address can't be listened on.</summary>
    CannotListen = 3,

    /// <summary>The control socket can't be made.</summary>
    CannotBeControlled = 4,

    /// <summary>The state directory can't be used.</summary>
    CannotKeepState = 5,

    /// <summary>The access log can't be opened.</summary>
    CannotLog = 6,
}
