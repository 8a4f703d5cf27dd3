namespace Wunderproxy.Controller.Following;

/// <summary>Which deployment is followed.</summary>
/// <param name="Hash">The release that it is for.</param>
internal abstract record FollowGoal(string Hash)
{
    /// <summary>One that this host was ordered, by a launch or a switch.</summary>
    internal sealed record Ordered(string Hash, string DeploymentId) : FollowGoal(Hash);

    /// <summary>The one that a host begins once it has read <c>current.json</c>.</summary>
    /// <param name="Hash">The release that it names.</param>
    /// <param name="ETag">ETag of the document as it was written.</param>
    internal sealed record Published(string Hash, string ETag) : FollowGoal(Hash);
}
