using System.Diagnostics;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>One application's Controller and Proxy on the lab's host: their folders, socket and ports, and every process started for them.</summary>
/// <remarks>Ends all of its processes when disposed, a Proxy that the Controller started included.</remarks>
public sealed class Installation : IAsyncDisposable
{
    private readonly LabHost _lab;
    private readonly List<RunningProcess> _started = [];
    private readonly int _proxyPort = FreePort.Next();
    private readonly int _apiPort = FreePort.Next();
    private readonly string _path = "";

    public Installation(LabHost lab, string application)
    {
        _lab = lab;
        Application = application;
        Root = lab.NewDirectory(application);
        Engine = lab.Docker;
        Store = lab.S3Endpoint;
        ControlSocket = Path.Combine(Root, "proxy.sock");
        Control = ControlSocket;
    }

    /// <summary>Another application behind the Proxy of this one; its configurations claim the path <c>/{application}</c>.</summary>
    public Installation(LabHost lab, string application, Installation neighbour)
        : this(lab, application)
    {
        _proxyPort = neighbour._proxyPort;
        _path = $"{application}/";
        ControlSocket = neighbour.ControlSocket;
        Control = ControlSocket;
    }

    public string Application { get; }

    /// <summary>Everything of this installation is below it.</summary>
    public string Root { get; }

    public string StateDirectory => Path.Combine(Root, "state");

    /// <summary>Socket of the Proxy.</summary>
    public string ControlSocket { get; }

    /// <summary>Where the Controller finds the engine: the lab's, unless something stands between them.</summary>
    public string Engine { get; set; }

    /// <summary>Where the Controller finds the S3 server: the lab's, unless something stands between them.</summary>
    public string Store { get; set; }

    /// <summary>Where the Controller finds the Proxy: <see cref="ControlSocket"/>, unless something stands between them.</summary>
    public string Control { get; set; }

    /// <summary>Where clients ask.</summary>
    public Uri Public => new($"http://127.0.0.1:{_proxyPort}/{_path}");

    /// <summary>Where the operator asks.</summary>
    public Uri Api => new($"http://127.0.0.1:{_apiPort}/");

    /// <summary>Variables of the Controller besides the lab's own; null removes one.</summary>
    public IDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>();

    /// <summary>The wall clock of the Controller and the Proxy; absent: the machine's.</summary>
    internal WallClock? Clock { get; set; }

    /// <summary>What the Controller finds at <c>/etc/hosts</c>; absent: the machine's.</summary>
    public string? Hosts { get; set; }

    /// <summary>Starts <c>wunderproxy run</c> on this installation's folders and ports.</summary>
    /// <param name="bucket">Bucket in the lab's S3 server, or a directory.</param>
    /// <param name="prefix">Prefix of its documents.</param>
    /// <param name="further">Further options.</param>
    public RunningProcess StartController(string bucket, string prefix, params string[] further)
    {
        string[] arguments =
        [
            "run", bucket, prefix, Application,
            "--proxy", $"127.0.0.1:{_proxyPort}", "--api", $"127.0.0.1:{_apiPort}", "--proxy-control", Control,
            "--state-dir", StateDirectory, "--docker", Engine, "--registry-port", _lab.Registry.Split(':')[1],
            "--s3-endpoint", Store, "--s3-path-style", .. further,
        ];
        var variables = new Dictionary<string, string?>(Environment.Concat(ClockVariables));
        return Keep(Hosts is null ? ControllerProcess.Start(_lab, variables, arguments) : ControllerProcess.StartWithHosts(_lab, Hosts, variables, arguments));
    }

    /// <summary>Starts <c>wunderproxy-proxy</c> alone, where <see cref="StartController"/> will find it.</summary>
    public RunningProcess StartProxy(params string[] further) => Keep(ProxyProcess.Start(ClockVariables, ["--listen", $"127.0.0.1:{_proxyPort}", "--control", ControlSocket, "--state-dir", Path.Combine(StateDirectory, "proxy"), .. further]));

    /// <summary>The Proxy that runs on this installation's socket, whoever started it.</summary>
    /// <returns>Its process id; null: none runs.</returns>
    public int? ProxyId() => ProxyIds().Select(id => (int?)id).FirstOrDefault();

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
            await process.DisposeAsync();
        foreach (var id in ProxyIds())
            KillIfAlive(id);
    }

    private IReadOnlyDictionary<string, string?> ClockVariables => Clock?.Variables ?? new Dictionary<string, string?>();

    private RunningProcess Keep(RunningProcess process)
    {
        _started.Add(process);
        return process;
    }

    private IEnumerable<int> ProxyIds() =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let arguments = Arguments(folder)
        where arguments.Contains(ControlSocket) && arguments[0].EndsWith("wunderproxy-proxy", StringComparison.Ordinal)
        select int.Parse(Path.GetFileName(folder), System.Globalization.CultureInfo.InvariantCulture);

    private static string[] Arguments(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline")).Split('\0');
        }
        catch (IOException)
        {
            return [""];
        }
    }

    private static void KillIfAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (ArgumentException)
        {
            // It ended by itself meanwhile.
        }
    }
}
