namespace Wunderproxy.Controller.Cli;

/// <summary>How the program ended, for scripts and service managers. 64 to 78 have the meaning of <c>sysexits.h</c>.</summary>
internal enum ExitCode
{
    /// <summary>Done. For <c>run</c>: stopped by a signal; containers and Proxy go on.</summary>
    Ok = 0,

    /// <summary>An unknown command, option or setting, or a value that can't be used. Nothing was done.</summary>
    Usage = 64,

    /// <summary>The document isn't a valid launch configuration.</summary>
    InvalidDocument = 65,

    /// <summary>A file, bucket, release or deployment that was named doesn't exist.</summary>
    NotFound = 66,

    /// <summary>The store isn't reached. Never ends <c>run</c>, which keeps trying.</summary>
    StoreUnavailable = 69,

    /// <summary>An error in the program itself.</summary>
    Unexpected = 70,

    /// <summary>A file or directory can't be read or written.</summary>
    NotAccessible = 74,

    /// <summary>The store refused (credentials, rights, or somebody else changed the document meanwhile), or the Controller did: from where it was asked, or in its present state.</summary>
    Refused = 77,

    /// <summary>The address of the admin API is taken or can't be listened on.</summary>
    PortTaken = 80,

    /// <summary>No Proxy runs and none could be started.</summary>
    ProxyNotStarted = 81,

    /// <summary>Another Controller runs for this application on this host.</summary>
    AnotherController = 82,

    /// <summary>The release failed before it served; what served before serves on.</summary>
    ReleaseFailed = 83,

    /// <summary>The release served, failed on probation, and traffic went back.</summary>
    RolledBack = 84,

    /// <summary>Another decision took the deployment's place.</summary>
    Superseded = 85,

    /// <summary>It hasn't ended in the time that was given, and goes on.</summary>
    TimedOut = 86,

    /// <summary>The Controller isn't reached, or wasn't any more while a deployment was followed.</summary>
    Unreachable = 87,

    /// <summary><c>doctor</c> found something that won't work.</summary>
    NotWell = 88,

    /// <summary>Ended by Ctrl-C (128 and the number of SIGINT); what was begun goes on.</summary>
    Interrupted = 130,
}
