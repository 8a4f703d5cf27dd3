using System.Text;

namespace Wunderproxy.IntegrationTests.Proxy;

/// <summary>An output that remembers what was written.</summary>
internal sealed class OutputStream : MemoryStream
{
    private readonly Lock _lock = new();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_lock)
        {
            base.Write(buffer);
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            return Encoding.ASCII.GetString(ToArray());
        }
    }
}
