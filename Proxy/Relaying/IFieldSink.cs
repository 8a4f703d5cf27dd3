namespace Wunderproxy.Proxy.Relaying;

/// <summary>A request's head on its way to the application, to which fields are added.</summary>
internal interface IFieldSink
{
    /// <summary>Adds a field.</summary>
    void WriteField(string name, ReadOnlySpan<char> value);
}
