using System.Globalization;

namespace Wunderproxy.IntegrationTests.Wire;

/// <summary>How much a run tries, and which seed it begins with: what the environment says, or what takes some seconds.</summary>
internal static class WireRun
{
    public static int Seed => Of("WUNDERPROXY_WIRE_SEED", 1);

    public static int Mutations => Of("WUNDERPROXY_WIRE_MUTATIONS", 3_000);

    public static int Requests => Of("WUNDERPROXY_WIRE_REQUESTS", 2_000);

    public static int Aborts => Of("WUNDERPROXY_WIRE_ABORTS", 5_000);

    private static int Of(string variable, int normal) => int.Parse(Environment.GetEnvironmentVariable(variable) ?? $"{normal}", CultureInfo.InvariantCulture);
}
