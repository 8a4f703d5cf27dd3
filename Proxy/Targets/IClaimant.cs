namespace Wunderproxy.Proxy.Targets;

/// <summary>A request that is about to claim a target.</summary>
internal interface IClaimant
{
    /// <summary>Whether it goes to a release that stands by, rather than to the active one.</summary>
    /// <param name="standby">The release.</param>
    /// <param name="serving">What is served beside it.</param>
    bool Visits(ServedStandby standby, Serving serving);
}
