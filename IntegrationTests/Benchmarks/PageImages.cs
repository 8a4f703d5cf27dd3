using System.Formats.Tar;
using System.Text;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Images with the machine's own nginx that answer with their version: they start in milliseconds, so that what is measured isn't the application.</summary>
/// <remarks>All versions share one base; a version is a small layer with its page, as a new version of a program is.</remarks>
internal sealed class PageImages(LabHost lab, Engine engine)
{
    public const int Port = 9292;
    private const string Base = "wunderproxy-bench-base";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    public string Repository => $"{lab.Registry}/bench";

    public async Task PrepareBaseAsync(CancellationToken cancellationToken)
    {
        var root = lab.NewDirectory("nginx");
        await File.WriteAllLinesAsync($"{root}/nginx.conf", Configuration, cancellationToken);
        await Command.RunAsync("/bin/sh", ["-c", CopyNginx, "sh", root], Deadline);
        await engine.ImportAsync($"{root}.tar", Base, "latest", cancellationToken);
    }

    /// <summary>The image is in the registry, and not in the engine, when this returns.</summary>
    /// <returns>Its reference.</returns>
    public async Task<string> PublishAsync(string version, CancellationToken cancellationToken)
    {
        var reference = $"{Repository}:{version}";
        await engine.BuildAsync(await ContextAsync(version, cancellationToken), reference, cancellationToken);
        await engine.PushAsync(Repository, version, cancellationToken);
        await engine.RemoveImageAsync(reference, cancellationToken);
        return reference;
    }

    private static async Task<byte[]> ContextAsync(string version, CancellationToken cancellationToken)
    {
        var dockerfile = $"""
            FROM {Base}:latest
            COPY index.html /www/index.html
            EXPOSE {Port}
            ENTRYPOINT ["/usr/sbin/nginx", "-e", "stderr", "-c", "/nginx.conf"]
            """;
        var archive = new MemoryStream();
        await using (var tar = new TarWriter(archive, leaveOpen: true))
        {
            await AddAsync(tar, "Dockerfile", dockerfile, cancellationToken);
            await AddAsync(tar, "index.html", version, cancellationToken);
        }

        return archive.ToArray();
    }

    private static async Task AddAsync(TarWriter tar, string name, string text, CancellationToken cancellationToken) => await tar.WriteEntryAsync(
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = (UnixFileMode)0b110_100_100 },
        cancellationToken);

    private static string[] Configuration =>
    [
        "daemon off; user root; worker_processes 1; pid /tmp/nginx.pid;",
        "events { worker_connections 1024; }",
        $"http {{ access_log off; keepalive_requests 1000000; server {{ listen {Port}; root /www; }} }}",
    ];

    // $1 is the folder; the libraries are those that the machine's dynamic linker names.
    private const string CopyNginx = """
        set -e
        cd "$1"
        mkdir -p usr/sbin www tmp etc var/log/nginx var/lib/nginx run
        nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
        cp "$nginx" usr/sbin/nginx
        ldd "$nginx" | awk '$2 == "=>" && $3 ~ /^\// {print $3} $1 ~ /^\// {print $1}' | while read -r library; do
          mkdir -p ".$(dirname "$library")"
          cp -L "$library" ".$library"
        done
        echo 'root:x:0:0:root:/:/none' >etc/passwd
        echo 'root:x:0:' >etc/group
        tar -cf "$1.tar" --owner=0 --group=0 .
        """;
}
