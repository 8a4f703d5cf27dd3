namespace Wunderproxy.IntegrationTests.Simulation;

/// <summary>Something that always holds didn't hold.</summary>
internal sealed class PromiseBrokenException(string message) : Exception(message);
