using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Hooks;

/// <summary>Somebody who is told of ends and switches.</summary>
internal interface IHook
{
    /// <summary>What it is, without a secret.</summary>
    string Name { get; }

    /// <summary>What it is found by when the Controller was started again: tells it apart from all others, and doesn't give its address away.</summary>
    string Key { get; }

    /// <summary>Tells it once, within its own deadline.</summary>
    /// <exception cref="HookException">It didn't take it.</exception>
    Task TellAsync(HookCall call, byte[] json, CancellationToken cancellationToken);
}

/// <summary>A hook that wasn't told.</summary>
/// <param name="message">Why, without a secret.</param>
/// <param name="isWorthAnotherTry">Whether it may be told in a moment.</param>
/// <param name="inner">What was thrown.</param>
internal sealed class HookException(string message, bool isWorthAnotherTry, Exception? inner = null) : Exception(message, inner)
{
    public bool IsWorthAnotherTry { get; } = isWorthAnotherTry;
}
