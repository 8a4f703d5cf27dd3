using Wunderproxy.Contracts.Control;

namespace Wunderproxy.Proxy.Control;

/// <summary>What came of a call that changes something.</summary>
internal abstract record ControlAnswer
{
    private ControlAnswer()
    {
    }

    /// <summary>Makes a refusal of one of the types of <see cref="ControlProblem"/>.</summary>
    public static Refused Refuse(string type, string detail, ApplicationState? state = null) => new(new ControlProblem
    {
        Type = type,
        Title = TitleOf(type),
        Status = StatusOf(type),
        Detail = detail,
        State = state,
    });

    private static int StatusOf(string type) => type switch
    {
        ControlProblem.InvalidBody => 400,
        ControlProblem.TargetUnhealthy => 422,
        ControlProblem.NotPersisted => 507,
        _ => 409,
    };

    private static string TitleOf(string type) => type switch
    {
        ControlProblem.InvalidBody => "The body is not what the call takes",
        ControlProblem.TargetUnhealthy => "The Proxy didn't find the target healthy",
        ControlProblem.NotPersisted => "The state couldn't be written to disk",
        ControlProblem.StaleGeneration => "The generation is not newer",
        ControlProblem.StaleFence => "The fence is not newer",
        ControlProblem.IsTarget => "The container is the target",
        ControlProblem.NotDraining => "Nothing drains there",
        ControlProblem.NoTls => "The Proxy speaks no TLS",
        _ => "Another Controller owns it",
    };

    /// <summary>It was done.</summary>
    /// <param name="State">How the application is served now; after forgetting, how it was.</param>
    public sealed record Accepted(ApplicationState State) : ControlAnswer;

    /// <summary>It wasn't; nothing changed.</summary>
    /// <param name="Problem">Why.</param>
    public sealed record Refused(ControlProblem Problem) : ControlAnswer;
}
