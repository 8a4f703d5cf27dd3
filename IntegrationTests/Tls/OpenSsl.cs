using System.Diagnostics;
using System.Net;

namespace Wunderproxy.IntegrationTests.Tls;

/// <summary>The client of OpenSSL, which tells what a server offers.</summary>
internal static class OpenSsl
{
    private const string Program = "/usr/bin/openssl";

    public static void SkipUnlessInstalled() => Assert.SkipUnless(File.Exists(Program), "openssl is not installed.");

    /// <summary>Makes a handshake.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="authority">Who is believed.</param>
    /// <param name="input">Sent behind the handshake, followed by the end of the input.</param>
    /// <param name="options">Further options of <c>s_client</c>.</param>
    /// <returns>All that it wrote.</returns>
    public static async Task<string> ConnectAsync(IPEndPoint address, TestAuthority authority, string input, params IEnumerable<string> options)
    {
        var start = new ProcessStartInfo(Program, ["s_client", "-connect", address.ToString(), "-CAfile", authority.RootFile, .. options])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        await SendAsync(process.StandardInput, input);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        return await output + await errors;
    }

    private static async Task SendAsync(StreamWriter writer, string input)
    {
        try
        {
            await writer.WriteAsync(input);
            writer.Close();
        }
        catch (IOException)
        {
            // It was refused, and has ended before it read that: what it wrote says so.
        }
    }
}
