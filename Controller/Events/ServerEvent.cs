using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Wunderproxy.Controller.Events;

/// <summary>A server-sent event as it goes over the wire, made once for all who listen.</summary>
/// <param name="Number">Grows by one with each event of this process.</param>
/// <param name="Bytes">Its lines, with the empty one at the end.</param>
/// <remarks>Source: HTML Living Standard, section 9.2.</remarks>
internal sealed record ServerEvent(long Number, ReadOnlyMemory<byte> Bytes)
{
    public static ServerEvent Of<T>(string process, long number, string name, T data, JsonTypeInfo<T> type) =>
        Of(process, number, name, JsonSerializer.SerializeToUtf8Bytes(data, type));

    /// <param name="process">Tells this process from the one before and the next.</param>
    /// <param name="number">Its number.</param>
    /// <param name="name">Its name.</param>
    /// <param name="json">Its data, without a line break, which JSON has none of unless it is indented.</param>
    public static ServerEvent Of(string process, long number, string name, ReadOnlySpan<byte> json) =>
        new(number, (byte[])[.. Encoding.UTF8.GetBytes($"id: {process}-{number}\nevent: {name}\ndata: "), .. json, (byte)'\n', (byte)'\n']);
}
