using System.Globalization;

namespace Wunderproxy.Controller.Examining;

/// <summary>Looks how many files and connections processes may have open (RLIMIT_NOFILE).</summary>
internal static class DescriptorExamination
{
    private const long LeastForController = 1024;
    private const long LeastForProxy = 16_384;
    private const string Line = "Max open files";

    /// <summary>The limit of a process that is started as this one was.</summary>
    /// <param name="limits">Content of its <c>/proc/PID/limits</c>; absent: it can't be read.</param>
    public static Finding OfOurs(string? limits) => SoftLimitIn(limits) switch
    {
        null => new Finding("descriptors", Verdict.Doubtful, "How many this user's processes may have can't be read."),
        < LeastForController and var few => new Finding("descriptors", Verdict.Doubtful, $"This user's processes may have {Number(few)}.", "A Controller that is started so could run out of them: ulimit -n 65536, or LimitNOFILE=65536 in its unit."),
        var enough => new Finding("descriptors", Verdict.Well, $"This user's processes may have {Number(enough.Value)}."),
    };

    /// <summary>The limit of the Proxy that runs: it takes as many clients as half of it allows.</summary>
    /// <param name="processId">Its process.</param>
    /// <param name="limits">Content of its <c>/proc/PID/limits</c>; absent: it can't be read.</param>
    public static Finding OfProxy(int processId, string? limits)
    {
        const string Subject = "proxy descriptors";
        return SoftLimitIn(limits) switch
        {
            null => new Finding(Subject, Verdict.Doubtful, $"How many the Proxy, process {processId}, may have can't be read by this user.", "Run doctor as root, or as the Proxy's user."),
            < LeastForProxy and var few => new Finding(
                Subject, Verdict.Doubtful, $"The Proxy, process {processId}, may have {Number(few)}, and so about {Number(few / 2)} clients at once.",
                "Set LimitNOFILE=65536 for it (systemctl edit wunderproxy-proxy), or ulimit -n before it is started; then restart it when it suits."),
            var enough => new Finding(Subject, Verdict.Well, $"The Proxy, process {processId}, may have {Number(enough.Value)}, and so about {Number(enough.Value / 2)} clients at once."),
        };
    }

    /// <summary>The limits of a process.</summary>
    /// <returns>Absent: they can't be read.</returns>
    public static string? Read(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/limits");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Max open files            65536                524288               files
    private static long? SoftLimitIn(string? limits)
    {
        var fields = limits?.Split('\n').FirstOrDefault(line => line.StartsWith(Line, StringComparison.Ordinal))?[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields is ["unlimited", ..] ? long.MaxValue
            : fields is [var soft, ..] && long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit
            : null;
    }

    private static string Number(long number) => number > long.MaxValue / 4 ? "as many as they like" : number.ToString(CultureInfo.InvariantCulture);
}
