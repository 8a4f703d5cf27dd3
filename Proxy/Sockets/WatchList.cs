namespace Wunderproxy.Proxy.Sockets;

/// <summary>Who is told of which socket's events, by keys that are never used again.</summary>
/// <remarks>
/// A key is a place, and how often it was given to somebody. So the key of a socket that was closed finds nobody, though another one has its place. Keys are added and removed on any thread;
/// finding one, which happens for each event, takes no lock.
/// </remarks>
internal sealed class WatchList
{
    private const int TurnBits = 32;

    private readonly Lock _lock = new();
    private readonly Stack<int> _free = new();

    // The first place is nobody's: 0 is no key.
    private Place[] _places = [new()];

    /// <summary>Adds somebody.</summary>
    /// <returns>The key, which isn't 0.</returns>
    public long Add(ISocketEvents target)
    {
        lock (_lock)
        {
            var index = _free.TryPop(out var free) ? free : Grow();
            var place = _places[index];
            Volatile.Write(ref place.Target, target);
            return ((long)place.Turn << TurnBits) | (uint)index;
        }
    }

    /// <summary>Removes whoever has a key, if somebody has it.</summary>
    public void Remove(long key)
    {
        lock (_lock)
        {
            var index = (int)key;
            if (index > 0 && _places[index] is var place && place.Turn == (int)(key >> TurnBits))
            {
                // In this order, so that who finds the next one with this key sees that it isn't his.
                Volatile.Write(ref place.Turn, place.Turn + 1);
                Volatile.Write(ref place.Target, null);
                _free.Push(index);
            }
        }
    }

    /// <summary>Who has a key; absent: nobody any more.</summary>
    public ISocketEvents? Find(long key)
    {
        var place = _places[(int)key];
        var target = Volatile.Read(ref place.Target);
        return Volatile.Read(ref place.Turn) == (int)(key >> TurnBits) ? target : null;
    }

    private int Grow()
    {
        var former = _places;
        var places = new Place[2 * former.Length];
        former.CopyTo(places, 0);
        for (var i = places.Length - 1; i >= former.Length; i--)
        {
            places[i] = new Place();
            _free.Push(i);
        }

        Volatile.Write(ref _places, places);
        return _free.Pop();
    }

    private sealed class Place
    {
        public ISocketEvents? Target;
        public int Turn;
    }
}
