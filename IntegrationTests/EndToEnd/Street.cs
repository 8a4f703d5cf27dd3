using System.Diagnostics;
using System.Globalization;
using System.Net;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Proxy;
using Wunderproxy.Proxy.Peers;

namespace Wunderproxy.IntegrationTests.EndToEnd;

/// <summary>Hosts in network namespaces of their own, joined by a bridge in another one, each with a Proxy that knows the others and a release that tells the host's number. Needs root.</summary>
internal sealed class Street : IAsyncDisposable
{
    private const int Port = 9292;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly string _name = $"wp{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-street-");
    private readonly int _count;
    private readonly List<ProxyFolder> _folders = [];
    private readonly List<StartedProxy> _proxies = [];
    private readonly Dictionary<int, RunningProcess> _releases = [];

    private Street(int count) => _count = count;

    /// <param name="hosts">How many, numbered from 1.</param>
    public static async Task<Street> BuildAsync(int hosts)
    {
        var street = new Street(hosts);
        try
        {
            await street.BuildAsync();
            return street;
        }
        catch
        {
            await street.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks a host for its page from the street.</summary>
    /// <returns>The status, and the number of the host that has answered; 0 where none has.</returns>
    public async Task<(int Status, int Host)> AskAsync(int host)
    {
        var answer = await Command.RunAsync("ip", ["netns", "exec", _name, "curl", "-s", "-m", "10", "-w", "\n%{http_code}", $"http://{AddressOf(host)}/index.html"], Limit);
        var lines = answer.Split('\n');
        return (int.Parse(lines[^1], CultureInfo.InvariantCulture), int.TryParse(lines[0], CultureInfo.InvariantCulture, out var number) ? number : 0);
    }

    /// <summary>Starts the release of a host.</summary>
    public async Task StartReleaseAsync(int host)
    {
        var pages = _folder.CreateSubdirectory($"pages-{host}");
        Tls.TestAuthority.WriteFile(Path.Combine(pages.FullName, "index.html"), $"{host}\n");
        _releases[host] = RunningProcess.Start("ip", ["netns", "exec", NameOf(host), "busybox", "httpd", "-f", "-p", $"127.0.0.1:{Port}", "-h", pages.FullName]);
        await Eventually.HoldsAsync($"the release of host {host} listens", async _ =>
            (await Command.RunAsync("ip", ["netns", "exec", NameOf(host), "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--retry", "5", "--retry-connrefused", "--retry-delay", "1", $"http://127.0.0.1:{Port}/"], Limit)) == "200");
    }

    /// <summary>Ends the release of a host: its port refuses connections from then on.</summary>
    public async Task EndReleaseAsync(int host)
    {
        _releases.Remove(host, out var release);
        await release!.DisposeAsync();
    }

    /// <summary>Pulls the cable of a host, or puts it in again.</summary>
    public Task ConnectAsync(int host, bool isConnected) => IpAsync("-n", _name, "link", "set", $"h{host}", isConnected ? "up" : "down");

    public async ValueTask DisposeAsync()
    {
        foreach (var release in _releases.Values)
            await release.DisposeAsync();
        foreach (var proxy in _proxies)
            await proxy.DisposeAsync();
        _folders.ForEach(folder => folder.Dispose());
        foreach (var name in Enumerable.Range(1, _count).Select(NameOf).Append(_name).Where(name => File.Exists($"/run/netns/{name}")))
            await IpAsync("netns", "del", name);
        _folder.Delete(recursive: true);
    }

    private static IPAddress AddressOf(int host) => new([10, 99, 0, (byte)(10 + host)]);

    private static Task<string> IpAsync(params string[] arguments) => Command.RunAsync("ip", arguments, Limit);

    private string NameOf(int host) => $"{_name}-{host}";

    private async Task BuildAsync()
    {
        await IpAsync("netns", "add", _name);
        await IpAsync("-n", _name, "link", "add", "street", "type", "bridge");
        await IpAsync("-n", _name, "addr", "add", "10.99.0.1/24", "dev", "street");
        await IpAsync("-n", _name, "link", "set", "street", "up");
        Tls.TestAuthority.WriteFile(Path.Combine(_folder.FullName, "key"), new string('k', PeerOptions.LeastKey));
        for (var host = 1; host <= _count; host++)
        {
            await BuildHostAsync(host);
        }
    }

    private async Task BuildHostAsync(int host)
    {
        var name = NameOf(host);
        await IpAsync("netns", "add", name);
        await IpAsync("-n", _name, "link", "add", $"h{host}", "type", "veth", "peer", "name", "eth0", "netns", name);
        await IpAsync("-n", _name, "link", "set", $"h{host}", "master", "street", "up");
        await IpAsync("-n", name, "link", "set", "lo", "up");
        await IpAsync("-n", name, "addr", "add", $"{AddressOf(host)}/24", "dev", "eth0");
        await IpAsync("-n", name, "link", "set", "eth0", "up");
        await StartReleaseAsync(host);
        await StartProxyAsync(host);
    }

    private async Task StartProxyAsync(int host)
    {
        var folder = new ProxyFolder();
        _folders.Add(folder);
        var others = Enumerable.Range(1, _count).Where(other => other != host).SelectMany(other => new[] { "--peer", $"{AddressOf(other)}:80" });
        var start = new ProcessStartInfo(
            "ip",
            [
                "netns", "exec", NameOf(host), ProxyProcess.Executable, "--listen", $"{AddressOf(host)}:80", "--control", folder.Control, "--state-dir", folder.State,
                "--peer-key", Path.Combine(_folder.FullName, "key"), "--peer-timeout", "2s", .. others,
            ])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        _proxies.Add(await StartedProxy.StartAsync(start));
        await folder.PutAsync(new IPEndPoint(IPAddress.Loopback, Port), snapshot => snapshot.HoldTimeout = TimeSpan.Zero);
    }
}
