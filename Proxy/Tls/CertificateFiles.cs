namespace Wunderproxy.Proxy.Tls;

/// <summary>Where one certificate is: its chain, and its key, which may be in the same file.</summary>
/// <param name="Name">Name of the files without their endings, or of the folder that they are in.</param>
/// <param name="Chain">Path of the certificate, followed by those that lead to a root.</param>
/// <param name="Key">Path of the private key.</param>
internal sealed record CertificateFiles(string Name, string Chain, string Key)
{
    private const string KeyEnding = ".key";

    /// <summary>
    /// The certificates of a folder: <c>NAME.crt</c> with <c>NAME.key</c>; <c>NAME.pem</c>, with or without <c>NAME.key</c>; and
    /// <c>NAME/fullchain.pem</c> with <c>NAME/privkey.pem</c>, as in certbot's folder <c>live</c>.
    /// </summary>
    /// <exception cref="IOException">The folder can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public static IEnumerable<CertificateFiles> In(string folder) =>
        Directory.EnumerateFiles(folder).Where(IsCertificate).Select(OfFile)
            .Concat(Directory.EnumerateDirectories(folder).Select(OfFolder).Where(files => File.Exists(files.Chain) || File.Exists(files.Key)))
            .OrderBy(files => files.Name, StringComparer.Ordinal);

    private static bool IsCertificate(string path) => Path.GetExtension(path) is ".crt" or ".pem" && !Path.GetFileName(path).StartsWith('.');

    private static CertificateFiles OfFile(string path)
    {
        var key = Path.ChangeExtension(path, KeyEnding);
        var hasOwnKey = Path.GetExtension(path) is ".crt" || File.Exists(key);
        return new CertificateFiles(Path.GetFileNameWithoutExtension(path), path, hasOwnKey ? key : path);
    }

    private static CertificateFiles OfFolder(string path) => new(Path.GetFileName(path), Path.Combine(path, "fullchain.pem"), Path.Combine(path, "privkey.pem"));
}
