namespace Wunderproxy.Controller.Durable;

/// <summary>What was found when a <see cref="SlotFile"/> was opened.</summary>
/// <param name="Condition">How whole it was.</param>
/// <param name="Newest">The newest valid slot, if any.</param>
/// <param name="Damages">The slots that weren't valid; empty where none exists at all.</param>
internal sealed record SlotLoad(SlotCondition Condition, Slot? Newest, IReadOnlyList<SlotDamage> Damages);

/// <summary>How whole a pair of slots is.</summary>
internal enum SlotCondition
{
    /// <summary>Neither file exists: nothing was ever saved.</summary>
    Nothing,

    /// <summary>Both are valid.</summary>
    Intact,

    /// <summary>One is valid. After a power cut it holds the newest state; after damage on the disk it may be the one before.</summary>
    OneDamaged,

    /// <summary>Neither is valid: rebuild. The files are set aside before the next save, not overwritten.</summary>
    AllDamaged,
}

/// <summary>A slot that isn't valid.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Reason">For people: what is wrong with it.</param>
internal sealed record SlotDamage(string Path, string Reason);
