using System.Globalization;

namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>What a process holds at this moment, as the kernel tells it.</summary>
/// <param name="ResidentMebibytes">Resident memory.</param>
/// <param name="Descriptors">Open files, sockets and pipes; without the libraries, of which one is loaded when it is needed first, and stays open.</param>
/// <param name="Threads">Threads of every kind.</param>
internal readonly record struct ProcessFigures(double ResidentMebibytes, double Descriptors, double Threads)
{
    /// <returns>Absent: there is no such process any more.</returns>
    public static ProcessFigures? Of(int id)
    {
        try
        {
            var status = File.ReadAllLines($"/proc/{id}/status");
            return new ProcessFigures(Number(status, "VmRSS:") / 1024.0, DescriptorsOf(id), Number(status, "Threads:"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return null;
        }
    }

    private static int DescriptorsOf(int id) =>
        Directory.GetFiles($"/proc/{id}/fd").Count(descriptor => new FileInfo(descriptor).LinkTarget is { } target && !target.EndsWith(".dll", StringComparison.Ordinal));

    // VmRSS:     12345 kB
    private static long Number(string[] status, string name) => long.Parse(
        status.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', '\t').First(word => word.Length > 0 && char.IsAsciiDigit(word[0])),
        CultureInfo.InvariantCulture);
}
