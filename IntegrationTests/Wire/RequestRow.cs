namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>A request, or what a client sends instead of one, and its one reading.</summary>
/// <param name="Name">What is odd about it.</param>
/// <param name="Sent">The bytes, each a character.</param>
/// <param name="Sees">
/// What the client must see: the status of each answer, with a space between. <c>!</c> at the end: then the connection is closed; without it
/// the connection must serve another request.
/// </param>
/// <param name="Arrives">
/// What must reach the application, in the notation of <see cref="StrictMessage.Render"/>; absent: nothing. <c>~</c> at the end: never a whole
/// request, at most a beginning of this one.
/// </param>
internal sealed record RequestRow(string Name, string Sent, string Sees, params string[] Arrives)
{
    /// <summary>Whether the client says after the bytes that nothing more will come, instead of sending another request.</summary>
    public bool IsEnd { get; init; }

    public override string ToString() => Name;
}
