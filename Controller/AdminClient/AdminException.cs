using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.AdminClient;

/// <summary>Why the admin API didn't do what it was asked for.</summary>
internal enum AdminFault
{
    /// <summary>Not reached, or it is only starting. Nothing was changed.</summary>
    Unreachable,

    /// <summary>A change that may have been taken: its answer never came.</summary>
    Ambiguous,

    /// <summary>It answered why not: <see cref="AdminException.Problem"/>. Nothing was changed.</summary>
    Refused,

    /// <summary>Something answered that isn't an admin API.</summary>
    Stranger,
}

/// <summary>A call of the admin API that failed: what, where, why, what still holds, what to do.</summary>
internal sealed class AdminException(AdminFault fault, string message, ApiProblem? problem = null, Exception? inner = null) : Exception(message, inner)
{
    public AdminFault Fault { get; } = fault;

    /// <summary>The API's own answer; only where it refused.</summary>
    public ApiProblem? Problem { get; } = problem;
}
