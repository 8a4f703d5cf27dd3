using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using Wunderproxy.Contracts;
using Wunderproxy.Contracts.Control;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>One of the proxies in front of the same backend, each as its documentation advises for keep-alive on both sides, without an access log.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private const int Connections = 256;
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(10);

    private readonly RunningProcess _process;

    private Contender(string name, int port, RunningProcess process)
    {
        Name = name;
        Address = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}/");
        _process = process;
    }

    public string Name { get; }

    public Uri Address { get; }

    public ProcessUse Use => ProcessUse.Of(_process.Id);

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
        return await NginxAsync(lab, "direct", port => $$"""
            open_file_cache max=10;
            server {
              listen 127.0.0.1:{{port}} backlog=4096; root {{folder}};
              location /upload { proxy_pass http://127.0.0.1:{{port}}/tiny; proxy_method GET; proxy_pass_request_body off; proxy_set_header Content-Length ""; }
              location /echo { {{ToEcho(echo)}} }
            }
            """);
    }

    // Upgrades are passed on, as nginx has to be told.
    private static string ToEcho(int port) =>
        $"proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";

    public static Task<Contender> NginxAsync(LabHost lab, Uri backend) => NginxAsync(lab, "nginx", port => $$"""
        upstream backend { server {{backend.Authority}}; keepalive {{Connections}}; keepalive_requests 10000000; }
        server {
          listen 127.0.0.1:{{port}} backlog=4096;
          location /echo { {{ToEcho(backend.Port)}} }
          proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;
          location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; }
        }
        """);

    public static async Task<Contender> HaproxyAsync(LabHost lab, Uri backend)
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
            frontend public
              bind 127.0.0.1:{port}
              default_backend application
            backend application
              server one {backend.Authority}

            """);
        return await StartedAsync(new Contender("HAProxy", port, RunningProcess.Start("haproxy", ["-db", "-f", file])));
    }

    public static async Task<Contender> CaddyAsync(LabHost lab, Uri backend)
    {
        var port = FreePort.Next();
        var file = await WriteAsync(lab, "Caddyfile", $$"""
            {
              admin off
              auto_https off
            }
            http://127.0.0.1:{{port}} {
              reverse_proxy {{backend.Authority}} {
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

    public static async Task<Contender> WunderproxyAsync(LabHost lab, Uri backend)
    {
        var port = FreePort.Next();
        var folder = lab.NewDirectory("proxy");
        var socket = Path.Combine(folder, "proxy.sock");
        var process = ProxyProcess.Start("--listen", $"127.0.0.1:{port}", "--control", socket, "--state-dir", Path.Combine(folder, "state"));
        await Eventually.HoldsAsync("the Proxy takes its target", _ => RouteAsync(socket, backend));
        return await StartedAsync(new Contender("wunderproxy-proxy", port, process));
    }

    public async ValueTask DisposeAsync()
    {
        // Not SIGKILL at once: nginx's workers would outlive it.
        _process.Terminate();
        await _process.WaitForExitAsync(StopDeadline);
        await _process.DisposeAsync();
    }

    private static async Task<Contender> NginxAsync(LabHost lab, string name, Func<int, string> server)
    {
        var port = FreePort.Next();
        var folder = lab.NewDirectory(name);
        var file = await WriteAsync(lab, "nginx.conf", $$"""
            daemon off; worker_processes 1; pid {{folder}}/pid; error_log stderr crit;
            events { worker_connections 22000; }
            http {
              access_log off; keepalive_requests 10000000; sendfile on; tcp_nopush on; client_max_body_size 16m; client_body_buffer_size 2m;
              client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy;
              {{server(port)}}
            }
            """);
        return await StartedAsync(new Contender(name, port, RunningProcess.Start("nginx", ["-e", "stderr", "-c", file])));
    }

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

    private static async Task<bool> RouteAsync(string socketPath, Uri backend)
    {
        using var control = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var target = new Target
        {
            Release = "bench",
            ContainerId = "bench",
            StartedAt = DateTimeOffset.UnixEpoch,
            Address = backend.Authority,
            Probe = new HealthProbe { Path = "/tiny" },
        };
        var snapshot = new ApplicationSnapshot { Application = "bench", Installation = "bench", Generation = 1, Fence = 1, Target = target };
        using var answer = await control.PutAsJsonAsync("http://proxy/applications/bench", snapshot, ContractsJson.Default.ApplicationSnapshot);
        return answer.IsSuccessStatusCode;
    }
}
