using System.Text;

namespace Wunderproxy.Contracts.Launching;

/// <summary>The bytes of a configuration, and the errors that were found in them.</summary>
internal sealed class SourceText(ReadOnlyMemory<byte> bytes)
{
    private readonly List<(int Offset, ConfigurationError Error)> _errors = [];

    /// <summary>The bytes as they were read.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>Every error, in the order of the text, up to the limit.</summary>
    public IReadOnlyList<ConfigurationError> Errors =>
        [.. _errors.OrderBy(e => e.Offset).Take(LaunchConfigurationReader.MaxErrors).Select(e => Located(e.Offset, e.Error))];

    /// <summary>Notes an error.</summary>
    public void Add(int offset, string path, string problem, string fix) => _errors.Add((offset, new ConfigurationError(path, problem, fix)));

    /// <summary>Notes an error of a value.</summary>
    public void Add(SourceValue value, string problem, string fix) => Add(value.Start, value.Path, problem, fix);

    /// <summary>Offset of a byte in a line, both counted from 0.</summary>
    public int OffsetOf(long line, long byteInLine)
    {
        var start = 0;
        for (; line > 0; line--)
        {
            start += Bytes.Span[start..].IndexOf((byte)'\n') + 1;
        }

        return start + (int)byteInLine;
    }

    private ConfigurationError Located(int offset, ConfigurationError error)
    {
        var before = Bytes.Span[..Math.Min(offset, Bytes.Length)];
        var line = before[(before.LastIndexOf((byte)'\n') + 1)..];
        return error with { Line = before.Count((byte)'\n') + 1, Column = Encoding.UTF8.GetCharCount(line) + 1 };
    }
}
