using Wunderproxy.IntegrationTests.Lab;
using Wunderproxy.IntegrationTests.ProxyClient;

namespace Wunderproxy.IntegrationTests.Exporting;

/// <summary>The real executable, as a process.</summary>
public sealed class UnusedExportTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("http://127.0.0.1:1", true)]
    public async Task Packages_of_OpenTelemetry_are_loaded_only_where_something_is_sent(string? endpoint, bool isLoaded)
    {
        var folder = Directory.CreateTempSubdirectory("wp-otlp");
        await using var proxy = await ControlSocket.AnswerAsync(200, """{"Version":"1","ProcessId":1,"StartedAt":"2026-11-27T07:00:00Z","HeapSizeBytes":1}""");
        await using (var controller = RunningProcess.Start(
            ControllerProcess.Executable,
            [
                "run", $"{folder.FullName}/store", "shop", "shop", "--state-dir", $"{folder.FullName}/state", "--api", $"unix:{folder.FullName}/api.sock",
                "--proxy-control", proxy.Path, "--docker", $"unix://{folder.FullName}/docker.sock",
            ],
            new Dictionary<string, string?> { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint }))
        {
            await Eventually.HoldsAsync("the Controller has started", () => controller.Output.Contains("Started the Controller", StringComparison.Ordinal));
            await Eventually.HoldsAsync("the Proxy was asked for what it remembers", () => proxy.Calls.ToList().Exists(call => call.Contains("/traffic", StringComparison.Ordinal)));
            if (isLoaded)
            {
                await Eventually.HoldsAsync("the packages are loaded", () => Loaded(controller));
            }

            Assert.Equal(isLoaded, Loaded(controller));
        }

        folder.Delete(recursive: true);
    }

    private static bool Loaded(RunningProcess controller) => File.ReadAllText($"/proc/{controller.Id}/maps").Contains("OpenTelemetry", StringComparison.Ordinal);
}
