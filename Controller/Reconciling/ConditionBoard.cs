using Wunderproxy.Contracts.Admin;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>The conditions, with the time of each one's latest change.</summary>
internal sealed partial class ConditionBoard(ILogger logger)
{
    private Dictionary<string, Condition> _conditions = new(StringComparer.Ordinal);

    public IReadOnlyList<Condition> Conditions => [.. _conditions.Values];

    /// <summary>Takes the conditions as they are now.</summary>
    public void Update(IEnumerable<Condition> conditions)
    {
        var updated = new Dictionary<string, Condition>(StringComparer.Ordinal);
        foreach (var condition in conditions)
        {
            var before = _conditions.GetValueOrDefault(condition.Type);
            if (before?.Status != condition.Status)
                LogChanged(condition.Type, condition.Status, condition.Reason, condition.Message);
            updated[condition.Type] = before?.Status == condition.Status ? condition with { Since = before?.Since ?? condition.Since } : condition;
        }

        _conditions = updated;
    }

    [LoggerMessage(331, LogLevel.Information, "{Condition} became {Status}: {Reason}. {Explanation}")]
    private partial void LogChanged(string condition, bool? status, string reason, string explanation);
}
