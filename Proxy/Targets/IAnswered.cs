namespace Wunderproxy.Proxy.Targets;

/// <summary>Who gets the answer to a request.</summary>
internal interface IAnswered
{
    /// <summary>Breaks the answer off, so that whoever writes it waits no longer. May be called on any thread while the request runs.</summary>
    void BreakOff();
}
