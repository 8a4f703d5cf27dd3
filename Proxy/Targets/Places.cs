namespace Wunderproxy.Proxy.Targets;

/// <summary>The places of one target, for requests that run on it, where its application takes only so many at once.</summary>
/// <param name="queue">Where those wait that find none.</param>
internal sealed class Places(RequestQueue queue)
{
    /// <summary>Places that are taken. Only the queue changes it.</summary>
    public int Taken { get; set; }

    /// <summary>Takes a place.</summary>
    /// <returns><see langword="false"/> if there is none.</returns>
    public bool TryTake() => queue.TryTake(this);

    /// <summary>Gives a place back.</summary>
    public void Leave() => queue.Leave(this);
}
