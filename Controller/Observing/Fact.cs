namespace Wunderproxy.Controller.Observing;

/// <summary>Something that was looked at: either known, or not known for a reason. While a fact that matters is unknown, nothing destructive happens.</summary>
internal abstract record Fact<T>
{
    private Fact()
    {
    }

    /// <summary>The value, where known.</summary>
    public T? ValueOrDefault => this is Known known ? known.Value : default;

    internal sealed record Known(T Value) : Fact<T>;

    internal sealed record Unknown(string Reason) : Fact<T>;
}
