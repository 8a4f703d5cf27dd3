using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Wunderproxy.Controller.Docker;

namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>What the Controller relies upon, whatever stands behind <see cref="IContainerEngine"/>: the real Docker Engine, or one that plays it.</summary>
public abstract partial class EngineConformance : IAsyncLifetime
{
    private const string RunLabel = "wunderproxy.test.run";

    private protected string Run { get; } = Guid.NewGuid().ToString("n")[..12];

    private protected abstract IContainerEngine Engine { get; }

    /// <summary>An image that the engine has, with /bin/sh and port 9292/tcp exposed.</summary>
    private protected abstract string BaseImage { get; }

    /// <summary>The registry that the engine reaches.</summary>
    private protected abstract string Registry { get; }

    /// <summary>Stores an image in the registry that the engine hasn't.</summary>
    private protected abstract Task PublishAsync(string reference);

    /// <summary>The image as <c>docker save</c> writes it.</summary>
    private protected abstract Task<MemoryStream> SaveAsync(string reference);

    private protected abstract Task RemoveNetworkAsync(string name);

    private protected IReadOnlyDictionary<string, string> Ours => new Dictionary<string, string> { [RunLabel] = Run };

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public abstract ValueTask InitializeAsync();

    public virtual async ValueTask DisposeAsync()
    {
        await RemoveContainersAsync();
        GC.SuppressFinalize(this);
    }

    private protected async Task RemoveContainersAsync()
    {
        foreach (var container in await Engine.ListContainersAsync(Ours, CancellationToken.None))
        {
            await Engine.KillContainerAsync(container.Id, "SIGKILL", CancellationToken.None);
            await WaitForEndAsync(container.Id);
            await Engine.RemoveContainerAsync(container.Id, CancellationToken.None);
        }
    }

    private protected string NameOf(string purpose) => $"wp-{Run}-{purpose}";

    private protected JsonObject Body(string script, JsonObject? hostConfig = null, JsonObject? networkingConfig = null) => new()
    {
        ["Image"] = BaseImage,
        ["Cmd"] = new JsonArray("/bin/sh", "-c", script),
        ["Labels"] = new JsonObject { [RunLabel] = Run },
        ["HostConfig"] = hostConfig ?? [],
        ["NetworkingConfig"] = networkingConfig ?? [],
    };

    private protected async Task<string> StartedAsync(string purpose, string script, JsonObject? hostConfig = null)
    {
        var id = await Engine.CreateContainerAsync(NameOf(purpose), Body(script, hostConfig), Token);
        await Engine.StartContainerAsync(id, Token);
        return id;
    }

    private protected async Task<EngineContainer> LookAsync(string id) =>
        await Engine.InspectContainerAsync(id, CancellationToken.None) ?? throw new InvalidOperationException($"Container {id} isn't there.");

    private protected async Task<EngineContainer> WaitForEndAsync(string id)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        while (true)
        {
            if (await LookAsync(id) is { Status: not (ContainerStatus.Running or ContainerStatus.Restarting) } container)
            {
                return container;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, deadline.Token);
        }
    }

    private protected static async Task<EngineException> FailsAsync(EngineFault fault, Func<Task> act)
    {
        var failure = await Assert.ThrowsAsync<EngineException>(act);
        Assert.True(failure.Fault == fault, $"{failure.Fault} instead of {fault}: {failure.Message}");
        return failure;
    }

    private protected static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
