using System.Runtime.InteropServices;
using Wunderproxy.IntegrationTests.Lab;

namespace Wunderproxy.IntegrationTests.Benchmarks;

/// <summary>Clients in a process of their own: neither wait for the other's garbage collections, nor for a processor, as on machines of their own.</summary>
internal sealed class LoadProcess : IAsyncDisposable
{
    private const string Visiting = "visitors";
    private const string Slow = "slow-clients";
    private const string Begun = "begun";

    // Who is measured is woken first, and those who are only there come last.
    private const string First = "-10";
    private const string Last = "10";

    private static readonly TimeSpan BeginDeadline = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);

    private readonly RunningProcess _process;

    private LoadProcess(string niceness, string kind, Uri address)
    {
        // Their answers are looked at by the thread that finds them.
        var environment = new Dictionary<string, string?> { ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1" };
        _process = RunningProcess.Start("nice", ["-n", niceness, Environment.ProcessPath!, typeof(LoadProcess).Assembly.Location, kind, address.ToString()], environment);
    }

    public static LoadProcess Visitors(Uri address) => new(First, Visiting, address);

    /// <summary>Begins them all, one after another.</summary>
    public static async Task<LoadProcess> SlowClientsAsync(Uri address)
    {
        var process = new LoadProcess(Last, Slow, address);
        try
        {
            await Eventually.HoldsAsync("all slow clients have begun", () => process._process.Output.StartsWith(Begun, StringComparison.Ordinal), BeginDeadline);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>What such a process does, if the arguments ask for one.</summary>
    public static async Task<bool> TryRunAsync(string[] arguments)
    {
        if (arguments is not [var kind and (Visiting or Slow), var address])
        {
            return false;
        }

        using var end = new CancellationTokenSource();
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            end.Cancel();
        });
        await (kind == Visiting ? VisitAsync(new Uri(address), end.Token) : BeSlowAsync(new Uri(address), end.Token));
        return true;
    }

    /// <summary>Ends it.</summary>
    /// <returns>The lines that it had to say of it.</returns>
    public async Task<IReadOnlyList<string>> EndAsync()
    {
        _process.Terminate();
        return await _process.WaitForExitAsync(EndDeadline) == 0
            ? _process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : throw new InvalidOperationException($"The load has failed: {_process.Output}");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task VisitAsync(Uri address, CancellationToken cancellationToken)
    {
        foreach (var visit in await new Visitors(address).AskAsync(cancellationToken))
            await Console.Out.WriteLineAsync(visit.ToString());
    }

    private static async Task BeSlowAsync(Uri address, CancellationToken cancellationToken)
    {
        await using var clients = new SlowClients(address);
        try
        {
            await clients.BeginAsync(cancellationToken);
            await Console.Out.WriteLineAsync(Begun);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await Console.Out.WriteLineAsync(Figures.Text(clients.Failed, "0"));
        }
    }
}
