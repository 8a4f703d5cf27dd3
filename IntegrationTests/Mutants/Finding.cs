namespace Wunderproxy.IntegrationTests.Mutants;

/// <summary>What is known of a mutant.</summary>
/// <param name="Key">The mutant.</param>
/// <param name="Passed">Stages that it survived.</param>
/// <param name="CaughtIn">The stage that it didn't survive, or the compiler; absent: none so far.</param>
/// <param name="By">The test that failed, the promise that was broken, or the error.</param>
internal sealed record Finding(string Key, int Passed, string? CaughtIn, string? By);
