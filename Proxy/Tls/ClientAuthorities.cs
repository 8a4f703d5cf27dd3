using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Who issues the certificates that clients show: a file, read anew when it has changed. What can't be used leaves in force what was there before.</summary>
/// <param name="path">The file: one certificate or several, as PEM.</param>
internal sealed class ClientAuthorities(string path)
{
    private FileStamp? _seen;

    /// <summary>What is in force; absent: nothing could be used so far.</summary>
    public X509Certificate2Collection? InForce { get; private set; }

    /// <summary>Why the file can't be used; absent: it can.</summary>
    public string? Problem { get; private set; }

    /// <summary>Looks at the file.</summary>
    /// <returns>Whether something else is in force now, or another problem is known.</returns>
    public bool Look()
    {
        var former = (InForce, Problem);
        try
        {
            var stamp = FileStamp.Of(path);
            if (stamp != _seen)
            {
                (InForce, Problem) = (Read(), null);
                _seen = stamp;
            }
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            (_seen, Problem) = (null, $"{path} has no certificates of authorities that can be read: {e.Message}");
        }

        return former != (InForce, Problem);
    }

    private X509Certificate2Collection Read()
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(path);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("There is none in it.");
    }
}
