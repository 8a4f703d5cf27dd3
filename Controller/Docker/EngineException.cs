namespace Wunderproxy.Controller.Docker;

/// <summary>Why the engine didn't do as asked.</summary>
internal enum EngineFault
{
    /// <summary>404: no such container or image.</summary>
    NotFound,

    /// <summary>409: name taken, or the container's state forbids it.</summary>
    Conflict,

    /// <summary>400, or a start that the container's own configuration makes impossible (no such command).</summary>
    BadRequest,

    /// <summary>The registry refused the credentials.</summary>
    Unauthorized,

    /// <summary>The registry isn't reached, stalls, limits the rate or serves a broken layer.</summary>
    RegistryUnavailable,

    /// <summary>A host port of the container is taken.</summary>
    PortTaken,

    /// <summary>The fixed address of the container is taken.</summary>
    AddressTaken,

    /// <summary>The disk is full.</summary>
    NoSpace,

    /// <summary>The request never reached the engine: nothing happened.</summary>
    Unreachable,

    /// <summary>Sent, but without an answer: it may have happened, or may still.</summary>
    Ambiguous,

    /// <summary>Any other error of the engine (500).</summary>
    EngineError,
}

/// <summary>An engine call that failed: what, on what, why. Values of environment variables and credentials are never part of the message.</summary>
internal sealed class EngineException(EngineFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public EngineFault Fault { get; } = fault;
}
