using System.Globalization;
using System.Net;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>nginx in front of an application, for TLS as Mozilla's guidelines say ("intermediate"), and with an order of ciphers of its own, which scanners would rather see.</summary>
internal sealed class HardenedNginx : IAsyncDisposable
{
    private const string Ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("wp-nginx-");
    private readonly RunningProcess _process;

    /// <param name="authority">Whose certificate it has, the same that the Proxy gets.</param>
    /// <param name="application">What is behind it.</param>
    public HardenedNginx(TestAuthority authority, IPEndPoint application)
    {
        Address = new IPEndPoint(IPAddress.Loopback, FreePort.Next());
        var file = Path.Combine(_folder.FullName, "nginx.conf");
        TestAuthority.WriteFile(file, ConfigurationFor(authority, application));
        _process = RunningProcess.Start("/usr/sbin/nginx", ["-e", "stderr", "-c", file]);
    }

    public IPEndPoint Address { get; }

    public async ValueTask DisposeAsync()
    {
        // Not SIGKILL at once: its worker would outlive it.
        _process.Terminate();
        await _process.WaitForExitAsync(TimeSpan.FromSeconds(10));
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private string ConfigurationFor(TestAuthority authority, IPEndPoint application) => string.Create(CultureInfo.InvariantCulture, $$"""
        daemon off;
        pid {{_folder}}/pid;
        worker_processes 1;
        events { worker_connections 1024; }
        http {
          access_log off; server_tokens off;
          client_body_temp_path {{_folder}}/body; proxy_temp_path {{_folder}}/proxy; fastcgi_temp_path {{_folder}}/f; uwsgi_temp_path {{_folder}}/u; scgi_temp_path {{_folder}}/s;
          server {
            listen {{Address}} ssl http2;
            server_name {{TestAuthority.Host}};
            ssl_certificate {{authority.At(TestAuthority.Host)}}.crt; ssl_certificate_key {{authority.At(TestAuthority.Host)}}.key;
            ssl_protocols TLSv1.2 TLSv1.3;
            ssl_ciphers {{Ciphers}};
            ssl_prefer_server_ciphers on;
            ssl_session_cache shared:tls:10m; ssl_session_timeout 1d; ssl_session_tickets off;
            add_header Strict-Transport-Security "max-age=31536000" always;
            location / { proxy_pass http://{{application}}; }
          }
        }

        """);
}
