namespace Wunderproxy.Contracts.Control;

/// <summary>Which requests are sent to another address of the application, for good: with 301 where they are GET or HEAD, else with 308, so that method and body are kept.</summary>
/// <remarks>Requests for the path of the health check, and below <c>/.well-known/acme-challenge/</c>, are never sent elsewhere.</remarks>
public sealed record Redirect
{
    /// <summary>Whether requests by http are sent to https at its usual port. What the client used is what a trusted proxy in front says in <c>X-Forwarded-Proto</c>, else how it is connected here.</summary>
    public bool Https { get; set; }

    /// <summary>Which one of two names of a site counts, where both are in <see cref="Routing.Hosts"/>.</summary>
    public WwwRedirect Www { get; set; }
}

/// <summary>Which one of <c>shop.example</c> and <c>www.shop.example</c> counts.</summary>
public enum WwwRedirect
{
    /// <summary>Both.</summary>
    Keep,

    /// <summary>The one with <c>www.</c>.</summary>
    Add,

    /// <summary>The one without.</summary>
    Remove,
}
