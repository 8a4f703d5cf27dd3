namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>Bytes that are no HTTP/1 message, or that another reader could read in another way.</summary>
internal sealed class NotStrictException(string reason) : Exception(reason);
