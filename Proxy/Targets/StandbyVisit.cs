namespace Wunderproxy.Proxy.Targets;

/// <summary>Why a request goes to a release that stands by.</summary>
internal enum StandbyVisit
{
    /// <summary>It doesn't.</summary>
    None,

    /// <summary>Its caller may see the release before the switch.</summary>
    Preview,

    /// <summary>Its client is in the share that the release gets.</summary>
    Canary,
}
