namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>What an application sends as its answer, and what becomes of it.</summary>
/// <param name="Name">What is odd about it.</param>
/// <param name="Sent">The bytes, each a character.</param>
/// <param name="Sees">
/// What the client must see, in the notation of <see cref="StrictMessage.Render"/>. <c>!</c> at the end: then its connection is over; without
/// it the connection must serve another request. <c>~!</c>: it never sees a whole answer, but 502, or nothing, or a beginning of this one
/// that breaks off.
/// </param>
/// <param name="Reuse">Whether the connection to the application is used again.</param>
internal sealed record AnswerRow(string Name, string Sent, string Sees, Reuse Reuse)
{
    public string Method { get; init; } = "GET";

    /// <summary>Further fields of the request, each with its line end.</summary>
    public string Asks { get; init; } = "";

    /// <summary>What the application does after it has sent that.</summary>
    public After Then { get; init; } = After.Keep;

    public override string ToString() => Name;
}

/// <summary>What becomes of a connection to the application.</summary>
internal enum Reuse
{
    /// <summary>The next request comes on it.</summary>
    Kept,

    /// <summary>No further request comes on it.</summary>
    Dropped,
}
