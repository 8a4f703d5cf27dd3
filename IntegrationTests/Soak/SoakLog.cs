namespace Wunderproxy.IntegrationTests.Soak;

/// <summary>What was done and when, to be read while the soak runs and after it failed.</summary>
internal sealed class SoakLog(string path) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file = new(path) { AutoFlush = true };

    public void Write(string line)
    {
        lock (_gate)
            _file.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} {line}");
    }

    public void Dispose() => _file.Dispose();
}
