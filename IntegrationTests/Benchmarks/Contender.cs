using System.Globalization;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>One of the proxies in front of the same backend, each as its documentation advises for keep-alive on both sides. All of them tell the application the same of a request, in six fields.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private const int Connections = 256;
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);

    private readonly RunningProcess _process;

    private Contender(string name, int port, RunningProcess process)
    {
        Name = name;
        Address = At(port);
        Http2Address = Address;
        _process = process;
    }

    public string Name { get; }

    public Uri Address { get; }

    /// <summary>Where it takes HTTP/2 with prior knowledge, most on the same port; absent: it takes none.</summary>
    public Uri? Http2Address { get; private init; }

    public ProcessUse Use => ProcessUse.Of(_process.Id);

    /// <summary>The control socket of ours; of others absent.</summary>
    public ControlSocket? Control { get; private init; }

    /// <summary>The application that all of them forward to: nginx with static files, asked directly as the floor.</summary>
    public static async Task<Contender> BackendAsync(LabHost lab, int echo)
    {
        var folder = lab.NewDirectory("backend");
        await using (var tiny = File.CreateText($"{folder}/tiny"))
            await tiny.WriteAsync("ok");
        await using (var large = File.CreateText($"{folder}/64KiB"))
            await large.WriteAsync(new string('x', 64 << 10));
        await using (var huge = File.CreateText($"{folder}/1MiB"))
            await huge.WriteAsync(new string('x', 1 << 20));
        return await NginxAsync(lab, "direct", logs: false, (port, http2) => $$"""
            open_file_cache max=10;
            server {
              {{Listen(port, http2)}} root {{folder}};
              location /upload { proxy_pass http://127.0.0.1:{{port}}/tiny; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
              location /echo { {{ToEcho(echo)}} }
            }
            """);
    }

    // Upgrades are passed on, as nginx has to be told.
    private static string ToEcho(int port) =>
        $"proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";

    public static Task<Contender> NginxAsync(LabHost lab, Uri backend, bool logs = false) => NginxAsync(lab, "nginx", logs, (port, http2) => $$"""
        upstream backend { server {{backend.Authority}}; keepalive {{Connections}}; keepalive_requests 10000000; }
        server {
          {{Listen(port, http2)}}
          location /echo { {{ToEcho(backend.Port)}} }
          proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;
          location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Request-Id $request_id; proxy_set_header X-Request-Start "t=$msec"; }
        }
        """);

    public static async Task<Contender> HaproxyAsync(LabHost lab, Uri backend, bool logs = false)
    {
        var port = FreePort.Next();
        var file = await WriteAsync(lab, "haproxy", $"""
            global
              nbthread 1
              maxconn {IdleConnections.Count + 200}
            defaults
              mode http
              timeout connect 1s
              timeout client 60s
              timeout server 60s
              timeout tunnel 60s
              option forwardfor
              http-reuse always
              {(logs ? "log stdout format raw local0" : "")}
              {(logs ? "option httplog" : "")}
            frontend public
              bind 127.0.0.1:{port}
              http-request set-header X-Forwarded-Proto http
              http-request set-header X-Forwarded-Host %[req.hdr(host)]
              http-request set-header X-Real-IP %[src]
              http-request set-header X-Request-Id %[uuid()]
              http-request set-header X-Request-Start t=%[date(0,ms)]
              default_backend application
            backend application
              server one {backend.Authority}

            """);
        return await StartedAsync(new Contender("HAProxy", port, StartLogging(Path.GetDirectoryName(file)!, "haproxy", ["-db", "-f", file])));
    }

    public static async Task<Contender> CaddyAsync(LabHost lab, Uri backend, bool logs = false)
    {
        var port = FreePort.Next();
        var log = logs ? $"log {{\n output file {lab.NewDirectory("caddy")}/access.log\n}}" : "";
        var file = await WriteAsync(lab, "Caddyfile", $$"""
            {
              admin off
              auto_https off
              servers {
                protocols h1 h2c
              }
            }
            http://:{{port}} {
              bind 127.0.0.1
              {{log}}
              reverse_proxy {{backend.Authority}} {
                header_up X-Real-IP {remote_host}
                header_up X-Request-Id {http.request.uuid}
                header_up X-Request-Start t={time.now.unix}
                transport http {
                  keepalive_idle_conns_per_host {{Connections}}
                  compression off
                }
              }
            }

            """);
        return await StartedAsync(new Contender("Caddy", port, RunningProcess.Start(
            "caddy", ["run", "--adapter", "caddyfile", "--config", file], new Dictionary<string, string?> { ["HOME"] = Path.GetDirectoryName(file) })));
    }

    public static async Task<Contender> GoAsync(LabHost lab, Uri backend, bool logs = false)
    {
        var port = FreePort.Next();
        var folder = lab.NewDirectory("go");
        var program = Environment.GetEnvironmentVariable("GO_PROXY") ?? throw new InvalidOperationException("GO_PROXY names no program: run.sh builds it.");
        string[] arguments = ["-listen", $"127.0.0.1:{port}", "-backend", backend.ToString(), "-connections", $"{Connections}", $"-access-log={(logs ? "true" : "false")}"];
        return await StartedAsync(new Contender("Go's ReverseProxy", port, StartLogging(folder, program, arguments)) { Http2Address = null });
    }

    /// <summary>The Proxy with what a release has that says nothing about its features.</summary>
    public static Task<Contender> WunderproxyAsync(LabHost lab, Uri backend, bool logs = false, params string[] arguments) =>
        WunderproxyAsync(lab, "wunderproxy-proxy", backend, snapshot => snapshot.Buffering = new Buffering(), logs ? [.. arguments, "--access-log"] : arguments);

    /// <summary>The Proxy under a name, with an application that is configured as given.</summary>
    public static async Task<Contender> WunderproxyAsync(LabHost lab, string name, Uri backend, Action<ApplicationSnapshot> configure, params string[] arguments)
    {
        var port = FreePort.Next();
        var folder = lab.NewDirectory("proxy");
        var socket = Path.Combine(folder, "proxy.sock");
        var process = StartLogging(folder, ProxyProcess.Executable, ["--listen", $"127.0.0.1:{port}", "--control", socket, "--state-dir", Path.Combine(folder, "state"), .. arguments]);
        var control = new ControlSocket(socket, configure);
        await Eventually.HoldsAsync("the Proxy takes its target", _ => control.TryMoveAsync(backend));
        return await StartedAsync(new Contender(name, port, process) { Control = control });
    }

    public async ValueTask DisposeAsync()
    {
        // Not SIGKILL at once: nginx's workers would outlive it.
        Control?.Dispose();
        _process.Terminate();
        await _process.WaitForExitAsync(StopDeadline);
        await _process.DisposeAsync();
    }

    private static async Task<Contender> NginxAsync(LabHost lab, string name, bool logs, Func<int, int, string> server)
    {
        var (port, http2) = (FreePort.Next(), FreePort.Next());
        var folder = lab.NewDirectory(name);
        var file = await WriteAsync(lab, "nginx.conf", $$"""
            daemon off; worker_processes 1; pid {{folder}}/pid; error_log stderr crit;
            events { worker_connections 22000; }
            http {
              access_log {{(logs ? folder + "/access.log" : "off")}}; keepalive_requests 10000000; sendfile on; tcp_nopush on; client_max_body_size 16m; client_body_buffer_size 2m;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy;
              {{server(port, http2)}}
            }
            """);
        return await StartedAsync(new Contender(name, port, RunningProcess.Start("nginx", ["-e", "stderr", "-c", file])) { Http2Address = At(http2) });
    }

    private static Uri At(int port) => new($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/");

    private static string Listen(int port, int http2) => $"listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{http2} http2 backlog=4096;";

    // What it writes goes to a file, as a service manager would have it; to be read by this process would cost CPU of the machine.
    private static RunningProcess StartLogging(string folder, string program, string[] arguments) =>
        RunningProcess.Start("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1", Path.Combine(folder, "output"), program, .. arguments]);

    private static async Task<Contender> StartedAsync(Contender contender)
    {
        using var client = new HttpClient();
        await Eventually.HoldsAsync(
            $"{contender.Name} forwards: {contender._process.Output}", async token => await client.GetStringAsync(new Uri(contender.Address, "tiny"), token) == "ok");
        return contender;
    }

    private static async Task<string> WriteAsync(LabHost lab, string name, string text)
    {
        var path = Path.Combine(lab.NewDirectory(name), name);
        await using var file = File.CreateText(path);
        await file.WriteAsync(text);
        return path;
    }
}
