using System.Text.Json;
using Wunderproxy.Contracts;
using Wunderproxy.Controller.Store;

namespace Wunderproxy.Controller.Desired;

/// <summary>What was deployed, when and by whom, as the store has it.</summary>
internal static class DeploymentHistory
{
    /// <summary>Reads it; where there is none, nothing was deployed yet.</summary>
    /// <exception cref="StoreException">The store couldn't be read.</exception>
    /// <exception cref="HistoryException">The document is no history.</exception>
    public static async Task<History> ReadAsync(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var key = History.KeyFor(prefix);
        var read = await store.GetAsync(key, null, History.MaxBytes, cancellationToken);
        try
        {
            return read.Status == StoreReadStatus.Found ? History.Read(read.Content.Span) : History.Empty;
        }
        catch (JsonException e)
        {
            throw new HistoryException($"{key} in {store.Description} is no history: {e.Message} Repair it or move it away.");
        }
    }
}

/// <summary>The document under the history's key can't be read as one.</summary>
internal sealed class HistoryException(string message) : Exception(message);
