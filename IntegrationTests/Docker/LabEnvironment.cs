namespace Wunderproxy.IntegrationTests.Docker;

/// <summary>What the lab tells a test. Without a lab a test fails rather than being skipped: what isn't run isn't proven.</summary>
internal static class LabEnvironment
{
    public static string Docker => Read("WUNDERPROXY_LAB_DOCKER");

    public static string Registry => Read("WUNDERPROXY_LAB_REGISTRY");

    private static string Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{name} isn't set: this test needs a running lab. ./test.sh starts one and sets it.");
}
