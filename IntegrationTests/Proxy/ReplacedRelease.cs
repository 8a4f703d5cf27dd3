using Microsoft.Extensions.Time.Testing;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>A Proxy that serves release one, and what it takes to replace that by release two. The Proxy's clock stands still unless a test moves it.</summary>
public abstract class ReplacedRelease : IAsyncLifetime
{
    private readonly RawBackend _two = new();

    private protected FakeTimeProvider Time { get; } = new();

    private protected RawBackend One { get; } = new();

    private protected RunningProxy Proxy { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Proxy = await RunningProxy.StartAsync(time: Time);
        await Proxy.SwitchAsync(One.Address, "one");
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Proxy.DisposeAsync();
        await One.DisposeAsync();
        await _two.DisposeAsync();
    }

    private protected Task<ApplicationState> ReplaceAsync(TimeSpan plainTime, TimeSpan streamTime) =>
        Proxy.SwitchAsync(_two.Address, "two", s => (s.DrainTimeout, s.StreamDrainTimeout) = (plainTime, streamTime));

    /// <summary>Replaces release two by release one again, in the same container.</summary>
    private protected Task ComeBackAsync()
    {
        One.ExpectsProbe = true;
        return Proxy.SwitchAsync(One.Address, "one");
    }
}
