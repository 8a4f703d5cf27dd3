using Polly.Timeout;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Controller.Docker;
using Wunderproxy.Controller.ProxyClient;
using Wunderproxy.Controller.Releases;

namespace Wunderproxy.Controller.Acting;

/// <summary>How an effect ended, and why.</summary>
/// <param name="Outcome">One of six.</param>
/// <param name="Message">What failed, on what, why; empty where it is done.</param>
/// <param name="Class">The kind of failure where it is the release's own fault.</param>
internal sealed record EffectResult(Outcome Outcome, string Message = "", FailureClass? Class = null)
{
    public static EffectResult Done { get; } = new(Outcome.Done);

    /// <summary>Whose fault a failure is.</summary>
    public static EffectResult Of(Effect effect, Exception exception) => exception switch
    {
        EngineException engine => OfEngine(effect, engine),
        ProxyException { Fault: ProxyFault.Ambiguous } => new(Outcome.Ambiguous, exception.Message),
        ProxyException => new(Outcome.Transient, exception.Message),
        TimeoutRejectedException => new(Outcome.Ambiguous, $"{effect.GetType().Name} of {effect.Subject} took longer than it may"),
        _ => new(Outcome.TerminalEnv, exception.Message),
    };

    /// <summary>What the Proxy's refusal means.</summary>
    public static EffectResult Of(ControlProblem problem)
    {
        var message = $"The Proxy refused: {problem.Detail ?? problem.Title}";
        return problem.Type switch
        {
            ControlProblem.ClaimedByOther => new(Outcome.TerminalSpec, message, FailureClass.RouteTaken),
            ControlProblem.NotPersisted or ControlProblem.InvalidBody => new(Outcome.TerminalEnv, message),
            _ => new(Outcome.Refused, message),
        };
    }

    private static EffectResult OfEngine(Effect effect, EngineException exception) => exception.Fault switch
    {
        EngineFault.NotFound when effect is Effect.Pull => new(Outcome.TerminalSpec, exception.Message, FailureClass.ImageMissing),
        EngineFault.NotFound => new(Outcome.Transient, exception.Message),
        EngineFault.BadRequest => new(Outcome.TerminalSpec, exception.Message, FailureClass.BadOption),
        EngineFault.PortTaken => new(Outcome.TerminalSpec, exception.Message, FailureClass.PortTaken),
        EngineFault.AddressTaken => new(Outcome.Refused, exception.Message),
        EngineFault.Conflict => new(Outcome.Transient, exception.Message),
        EngineFault.Ambiguous => new(Outcome.Ambiguous, exception.Message),
        EngineFault.Unreachable => new(Outcome.Transient, exception.Message),
        _ => new(Outcome.TerminalEnv, exception.Message),
    };
}
