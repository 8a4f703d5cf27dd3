using System.Security.Cryptography;

namespace Wunderproxy.Proxy.Clients;

/// <summary>Makes the names of requests, without allocating and without a system call for each.</summary>
/// <remarks>
/// The first half is random and tells processes apart. The second one counts, shuffled one to one: no two are the same, and nobody reads off how many
/// requests there were. They are no secrets.
/// </remarks>
internal sealed class RequestIds
{
    private readonly ulong _process = Random();
    private ulong _last = Random();

    /// <summary>The next one.</summary>
    public RequestId Next() => new(_process, Shuffle(Interlocked.Increment(ref _last)));

    private static ulong Random() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    // The last steps of SplitMix64, each of which can be undone. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
    private static ulong Shuffle(ulong number)
    {
        number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
        return number ^ (number >> 31);
    }
}
