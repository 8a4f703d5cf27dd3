using System.Net.Http.Json;
using System.Net.Sockets;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Moves the traffic of a Proxy that no Controller cares for.</summary>
/// <param name="path">Its control socket.</param>
/// <param name="configure">Says how the application is served, besides where.</param>
internal sealed class ControlSocket(string path, Action<ApplicationSnapshot> configure) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    private long _generation;

    public void Dispose() => _client.Dispose();

    /// <returns>Whether the Proxy took it.</returns>
    public async Task<bool> TryMoveAsync(Uri backend)
    {
        var generation = ++_generation;
        var target = new Target
        {
            Release = "bench",
            ContainerId = $"bench{generation}",
            StartedAt = DateTimeOffset.UnixEpoch,
            Address = backend.Authority,
            Probe = new HealthProbe { Path = "/tiny" },
        };
        var snapshot = new ApplicationSnapshot { Application = "bench", Installation = "bench", Generation = generation, Fence = generation, Target = target };
        configure(snapshot);
        using var answer = await _client.PutAsJsonAsync("http://proxy/applications/bench", snapshot, ContractsJson.Default.ApplicationSnapshot);
        return answer.IsSuccessStatusCode;
    }

    /// <summary>What the Proxy says of itself.</summary>
    public Task<ProxyStatus?> StatusAsync() => _client.GetFromJsonAsync("http://proxy/status", ContractsJson.Default.ProxyStatus);

    public async Task MoveAsync(Uri backend)
    {
        if (!await TryMoveAsync(backend))
            throw new InvalidOperationException($"The Proxy refused to move traffic to {backend}.");
    }
}
