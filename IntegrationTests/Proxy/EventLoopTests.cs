using System.IO.Pipes;
using Wunderproxy.Proxy.Sockets;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>The thread that everything of a connection runs on.</summary>
public sealed class EventLoopTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Loop_that_is_ended_by_what_it_tells_still_tells_what_came_together_with_that()
    {
        using var loop = new EventLoop("test-loop");
        using var writer = new AnonymousPipeServerStream(PipeDirection.Out);
        using var goOn = new SemaphoreSlim(0);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var last = new TaskCompletionSource();
        loop.Watch(writer.ClientSafePipeHandle, new Told(Wait), SocketEvents.Readable);
        writer.WriteByte(1);
        await begun.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);

        // Wakes the loop up while it is busy: the next time it is told first of the pipe, whose byte is still there, and then of this.
        loop.End(new Told(static () => { }));
        goOn.Release();

        await last.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);

        void Wait()
        {
            if (begun.TrySetResult())
            {
                Assert.True(goOn.Wait(Limit));
                return;
            }

            loop.Dispose();
            loop.End(new Told(last.SetResult));
        }
    }

    [Fact]
    public async Task One_who_asks_does_not_wait_until_all_of_a_crowd_have_left()
    {
        const int crowd = 200;
        using var loop = new EventLoop("test-loop");
        using var goOn = new SemaphoreSlim(0);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var asked = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = 0;
        var leaving = Enumerable.Range(0, crowd).Select(_ => new AnonymousPipeServerStream(PipeDirection.Out)).ToList();
        using var asking = new AnonymousPipeServerStream(PipeDirection.Out);
        leaving.ForEach(pipe => loop.Watch(pipe.ClientSafePipeHandle, new Told(() => left++), SocketEvents.Readable | SocketEvents.OnChange));
        loop.Watch(asking.ClientSafePipeHandle, new Told(() => asked.TrySetResult(left)), SocketEvents.Readable | SocketEvents.OnChange);
        loop.End(new Told(Wait));
        await begun.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);

        // The kernel tells of them in this order, once the loop looks again.
        leaving.ForEach(pipe => pipe.Dispose());
        asking.WriteByte(1);
        goOn.Release();

        Assert.InRange(await asked.Task.WaitAsync(Limit, TestContext.Current.CancellationToken), 0, crowd / 2);

        void Wait()
        {
            begun.SetResult();
            Assert.True(goOn.Wait(Limit));
        }
    }

    private sealed class Told(Action then) : ISocketEvents
    {
        public void On(SocketEvents events) => then();
    }
}
