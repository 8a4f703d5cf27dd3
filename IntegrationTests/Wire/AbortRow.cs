namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Who leaves, and how.</summary>
internal enum Leaves
{
    ClientResets,
    ClientCloses,
    ApplicationResets,
    ApplicationCloses,
}

/// <summary>An exchange that one side leaves in the middle.</summary>
/// <param name="Name">Where it is left.</param>
/// <param name="Request">What the client sends; <c>/id</c> in it becomes a target of its own.</param>
/// <param name="Answer">What the application sends before; the client has received some of it when the exchange is left.</param>
/// <param name="Who">Who leaves.</param>
internal sealed record AbortRow(string Name, string Request, string Answer, Leaves Who)
{
    /// <summary>Whether the application gets anything of the request.</summary>
    public bool Arrives => Request.Contains("\r\n\r\n", StringComparison.Ordinal);

    public override string ToString() => Name;
}
