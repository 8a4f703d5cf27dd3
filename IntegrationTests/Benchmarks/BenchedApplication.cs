using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>An application under a real Controller and Proxy, with the store in a directory.</summary>
internal sealed class BenchedApplication : IAsyncDisposable
{
    private static readonly TimeSpan SettleDeadline = TimeSpan.FromSeconds(60);

    private readonly string _store;
    private readonly Installation _installation;
    private readonly RunningProcess _controller;
    private readonly HttpClient _api;

    private BenchedApplication(LabHost lab, string name)
    {
        _store = lab.NewDirectory($"{name}-store");
        Directory.CreateDirectory(Path.Combine(_store, "app"));
        _installation = new Installation(lab, name);
        _controller = _installation.StartController(_store, "app");
        _api = new HttpClient { BaseAddress = _installation.Api, Timeout = TimeSpan.FromMinutes(1) };
        _api.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public Uri Public => _installation.Public;

    public Uri Api => _installation.Api;

    public int ControllerId => _controller.Id;

    public int ProxyId => _installation.ProxyId() ?? throw new InvalidOperationException("No Proxy runs.");

    /// <summary>Starts both processes and waits until the Controller answers.</summary>
    public static async Task<BenchedApplication> StartAsync(LabHost lab, string name)
    {
        var application = new BenchedApplication(lab, name);
        await Eventually.HoldsAsync("the Controller answers", async token => (await application._api.GetAsync(new Uri("healthz", UriKind.Relative), token)).IsSuccessStatusCode);
        return application;
    }

    /// <summary>Writes the configuration as <c>container.{hash}.json</c>.</summary>
    /// <returns>Its hash.</returns>
    public async Task<string> PublishAsync(string version, string image)
    {
        var bytes = Configuration(version, image);
        var hash = ContentHash.Of(bytes);
        await WriteAsync($"container.{hash}.json", bytes);
        return hash;
    }

    /// <summary>Makes a configuration the current one.</summary>
    public Task MakeCurrentAsync(string version, string image) => WriteAsync("current.json", Configuration(version, image));

    /// <summary>Posts an order and waits for its end.</summary>
    public async Task OrderAsync(string call, string hash, CancellationToken cancellationToken)
    {
        using var body = new StringContent(hash);
        using var answer = await _api.PostAsync(new Uri(call, UriKind.Relative), body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{call} of {hash} answered {await answer.Content.ReadAsStringAsync(cancellationToken)}\n{_controller.Output}");
    }

    /// <summary>Waits until nothing but this release runs, and nothing is under way.</summary>
    /// <returns>Its deployments, newest first.</returns>
    public async Task<IReadOnlyList<DeploymentStatus>> SettleAsync(string hash)
    {
        var status = await Eventually.FindAsync($"only {hash} runs; the Controller says:\n{_controller.Output}", async token =>
        {
            var status = await _api.GetFromJsonAsync("status", ContractsJson.Default.StatusDocument, token);
            return status!.Active == hash && status.Plan.Working.Count == 0 && status.Releases.All(r => IsSettled(r, hash)) ? status : null;
        }, SettleDeadline);
        return [.. status.Deployments.Where(d => d.Hash == hash)];
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _installation.DisposeAsync();
    }

    private static bool IsSettled(ReleaseStatus release, string hash) => release.Hash == hash
        ? release.Phase == ReleasePhase.Active
        : release.Phase is ReleasePhase.Retained or ReleasePhase.Removed;

    private static byte[] Configuration(string version, string image) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["Revision"] = version,
        ["ContainerConfig"] = new JsonObject { ["Image"] = image },
        ["HealthCheckPath"] = "index.html",
        ["Probation"] = new JsonObject { ["Duration"] = "1s" },
        ["Stop"] = new JsonObject { ["Timeout"] = "2s" },
    }.ToJsonString());

    // Atomically, as whoever publishes should.
    private async Task WriteAsync(string name, byte[] bytes)
    {
        var path = Path.Combine(_store, "app", name);
        await using (var file = File.Create(path + ".new"))
            await file.WriteAsync(bytes);
        File.Move(path + ".new", path, overwrite: true);
    }
}
