using System.Net;
using System.Text.Json;
using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.Tls;

namespace Wunderproxy.IntegrationTests.Edge;

/// <summary>What testssl.sh finds at a server that speaks TLS.</summary>
internal sealed class TlsScan
{
    private static readonly string[] Severities = ["DEBUG", "OK", "INFO", "LOW", "WARN", "MEDIUM", "HIGH", "CRITICAL", "FATAL"];
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly Dictionary<string, Finding> _findings;

    private TlsScan(IEnumerable<Finding> findings) => _findings = findings.GroupBy(finding => finding.Id).ToDictionary(same => same.Key, same => same.MaxBy(finding => finding.Rank)!);

    public int Count => _findings.Count;

    /// <summary>What it has to say against the server, the worst first.</summary>
    public IReadOnlyList<Finding> Complaints => [.. _findings.Values.Where(finding => finding.IsComplaint).OrderByDescending(finding => finding.Rank).ThenBy(finding => finding.Id, StringComparer.Ordinal)];

    public Finding? Find(string id) => _findings.GetValueOrDefault(id);

    /// <summary>Scans a server for some minutes.</summary>
    public static async Task<TlsScan> RunAsync(IPEndPoint address, TestAuthority authority)
    {
        var file = authority.At($"scan-{address.Port}.json");
        await using var scanner = RunningProcess.Start(
            "testssl", ["--quiet", "--color", "0", "--warnings", "off", "--add-ca", authority.RootFile, "--ip", address.Address.ToString(), "--jsonfile", file, $"https://{TestAuthority.Host}:{address.Port}"]);

        // Its exit code depends on what it has found.
        await scanner.WaitForExitAsync(Limit);
        Assert.True(File.Exists(file), scanner.Output);
        using var findings = JsonDocument.Parse(await File.ReadAllTextAsync(file));
        return new TlsScan([.. findings.RootElement.EnumerateArray().Select(Read)]);
    }

    private static Finding Read(JsonElement finding)
    {
        var severity = finding.GetProperty("severity").GetString()!;
        return new Finding(finding.GetProperty("id").GetString()!, severity, Array.IndexOf(Severities, severity), finding.GetProperty("finding").GetString()!);
    }

    /// <param name="Id">What was looked at.</param>
    /// <param name="Severity">What testssl.sh thinks of it.</param>
    /// <param name="Rank">The same as a number; the higher, the worse.</param>
    /// <param name="Text">What it has seen.</param>
    internal sealed record Finding(string Id, string Severity, int Rank, string Text)
    {
        public bool IsComplaint => Rank > Array.IndexOf(Severities, "INFO");
    }
}
