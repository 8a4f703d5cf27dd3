using Wunderproxy.Proxy.Clients;

namespace Wunderproxy.Proxy.Forwarding;

/// <summary>What the options of the Proxy say about the way of every request.</summary>
internal sealed record ForwardingRules
{
    /// <summary>The proxies in front that are believed.</summary>
    public TrustedProxies Trusted { get; init; } = new([]);

    /// <summary>Whether applications get <c>Forwarded</c> beside <c>X-Forwarded-*</c>, and trusted proxies may use it.</summary>
    public bool SpeaksForwarded { get; init; }

    /// <summary>Whether answers name their request.</summary>
    public bool AnswersWithId { get; init; }

    /// <summary>Whether somebody wants to know how long applications take.</summary>
    public bool TimesTargets { get; init; }
}
