using System.Runtime.CompilerServices;

namespace Wunderproxy.IntegrationTests.Faults;

/// <summary>A test that plays a fault, and gets a row in REPORT.md.</summary>
/// <param name="fault">What breaks.</param>
/// <param name="expected">What has to happen all the same.</param>
/// <param name="file">Where the test is.</param>
/// <param name="line">Where the test is.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class FaultAttribute(string fault, string expected, [CallerFilePath] string? file = null, [CallerLineNumber] int line = -1) : FactAttribute(file, line)
{
    public string Fault => fault;

    public string Expected => expected;

    /// <summary>Why requests fail meanwhile, where it leaves no healthy container, or no Proxy; absent: none may fail.</summary>
    public string? Excuse { get; init; }
}
