using System.Text;

namespace Wunderproxy.IntegrationTests.Lab;

/// <summary>The latest lines of a program's output, up to a number of characters.</summary>
internal sealed class OutputTail(int cap)
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();
    private long _length;

    /// <summary>Characters that were written so far, those that aren't kept any more included.</summary>
    public long Length => Interlocked.Read(ref _length);

    public void Append(string? line)
    {
        if (line is null)
            return;
        lock (_gate)
        {
            _length += line.Length + 1;
            _text.Append(line).Append('\n');
            if (_text.Length > cap)
                _text.Remove(0, _text.Length - cap);
        }
    }

    public override string ToString()
    {
        lock (_gate)
            return _text.ToString();
    }
}
