namespace Wunderproxy.Controller.Following;

/// <summary>How the following of one host ended, the worst last.</summary>
internal enum FollowEnd
{
    /// <summary>The release has the traffic.</summary>
    Serves,

    /// <summary>The release is healthy, without traffic, as a launch wants it.</summary>
    StandsBy,

    /// <summary>Another decision took its place.</summary>
    Superseded,

    /// <summary>The host can't be asked; what it does is not known.</summary>
    Unreachable,

    /// <summary>Nothing has ended in the time that was given; it goes on.</summary>
    TimedOut,

    /// <summary>The host doesn't take the configuration, or a switch holds it.</summary>
    Refused,

    /// <summary>The release served, failed on probation, and traffic went back.</summary>
    RolledBack,

    /// <summary>The release failed; what served before serves on.</summary>
    Failed,
}
