using System.Text;
using Wunderproxy.Proxy.Control;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Where automatic certificates are kept, so that they are there after a restart, with the Controller or without: <c>HOST.pem</c>, certificates and key.</summary>
/// <param name="path">The folder; made when the first one comes.</param>
internal sealed class AutomaticFolder(string path)
{
    private const string Ending = ".pem";
    private const string Mark = " (automatic)";

    /// <summary>The folder.</summary>
    public string Path => path;

    /// <summary>What they are called beside those of the host itself.</summary>
    public static string NameOf(string host) => host + Mark;

    /// <summary>The host that one of them is for.</summary>
    public static string HostOf(string name) => name[..^Mark.Length];

    /// <summary>The files that there are.</summary>
    /// <exception cref="IOException">The folder can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public IReadOnlyList<CertificateFiles> List() => Directory.Exists(path)
        ? [.. CertificateFiles.In(path).Select(files => files with { Name = NameOf(files.Name) })]
        : [];

    /// <summary>Keeps a certificate in the place of the former one for the host.</summary>
    /// <param name="host">Its name, checked to be one.</param>
    /// <param name="chain">The certificate and those behind it, as PEM.</param>
    /// <param name="key">Its key, as PEM.</param>
    /// <exception cref="CertificateException">It isn't for the host, or its key doesn't fit; nothing was written.</exception>
    /// <exception cref="IOException">It couldn't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public void Keep(string host, string chain, string key)
    {
        var certificate = ServerCertificate.Of($"The certificate for {host}", chain, key);
        if (!certificate.Names.Contains(host))
        {
            throw new CertificateException($"The certificate is for {string.Join(", ", certificate.Names)}, not for {host}.");
        }

        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.Replace(System.IO.Path.Combine(path, host + Ending), Encoding.ASCII.GetBytes($"{chain.TrimEnd()}\n{key.TrimEnd()}\n"));
    }

    /// <summary>Removes what is of no use any more.</summary>
    /// <param name="files">One of those that are <see cref="List"/>ed.</param>
    public static void Drop(CertificateFiles files) => DurableFile.Remove(files.Chain);
}
