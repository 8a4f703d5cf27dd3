using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Wunderproxy.Proxy.Tls;

/// <summary>Which ciphers are spoken in TLS 1.2: those with forward secrecy that encrypt and authenticate in one (RFC 9325, section 4.2). .NET's own choice has others besides.</summary>
/// <remarks>
/// <c>CipherSuitesPolicy</c> would say it, too, but .NET makes everything anew for each handshake that has one, and resumes no session. So it is OpenSSL that is told, by the configuration that it
/// reads when it begins. It is in memory, so that no file has to be where this program is.
/// </remarks>
internal static class CipherChoice
{
    private const string Variable = "OPENSSL_CONF";

    // Clients without instructions for AES say so by the order of what they offer, and get ChaCha20.
    private static ReadOnlySpan<byte> Configuration =>
        """
        openssl_conf = all
        [all]
        ssl_conf = programs
        [programs]
        system_default = choice
        [choice]
        MinProtocol = TLSv1.2
        CipherString = ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2
        Options = ServerPreference,PrioritizeChaCha

        """u8;

    /// <summary>Tells OpenSSL, unless whoever started this program has: by <c>OPENSSL_CONF</c>. Nothing may have been encrypted or hashed before.</summary>
    public static void Prescribe()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null)
        {
            return;
        }

        using var file = NewFile("openssl.cnf", 0);
        if (file.IsInvalid)
        {
            // What .NET chooses isn't insecure.
            return;
        }

        RandomAccess.Write(file, Configuration, 0);
        _ = SetVariable(Variable, $"/proc/self/fd/{file.DangerousGetHandle()}", 1);

        // With the first hash OpenSSL begins.
        SHA256.HashData([]);
        _ = UnsetVariable(Variable);
    }

    [DllImport("libc", EntryPoint = "memfd_create", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern SafeFileHandle NewFile([MarshalAs(UnmanagedType.LPUTF8Str)] string name, uint flags);

    // .NET's own variables aren't those that libraries see.
    [DllImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int replaces);

    [DllImport("libc", EntryPoint = "unsetenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int UnsetVariable([MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
