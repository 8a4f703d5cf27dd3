using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>Who is told of a socket's events.</summary>
public sealed class WatchListTests
{
    [Fact]
    public void Key_finds_nobody_once_it_was_removed_though_another_one_has_its_place()
    {
        var list = new WatchList();
        var (first, second) = (new Nobody(), new Nobody());
        var former = list.Add(first);
        Assert.Same(first, list.Find(former));

        list.Remove(former);
        Assert.Null(list.Find(former));
        var key = list.Add(second);
        list.Remove(former);

        Assert.Equal((int)former, (int)key);
        Assert.Null(list.Find(former));
        Assert.Same(second, list.Find(key));
    }

    [Fact]
    public void Each_of_many_is_found_by_its_own_key_which_is_never_0()
    {
        var list = new WatchList();
        var added = Enumerable.Range(0, 1000).Select(_ => new Nobody()).Select(nobody => (Nobody: nobody, Key: list.Add(nobody))).ToList();

        Assert.All(added, one => Assert.Same(one.Nobody, list.Find(one.Key)));
        Assert.DoesNotContain(added, one => one.Key == 0);
        Assert.Null(list.Find(0));
    }

    private sealed class Nobody : ISocketEvents
    {
        public void On(SocketEvents events) => throw new InvalidOperationException("Nobody is told.");
    }
}
