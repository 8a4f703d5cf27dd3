using Wunderproxy.Controller.Desired;

namespace Wunderproxy.Controller.Reconciling;

/// <summary>What a configuration that can't be had means for an order.</summary>
internal static class Refusals
{
    public static Admission.Refused Of(Resolution resolution) => resolution switch
    {
        Resolution.Unknown unknown => new(Refusal.UnknownHash, unknown.Message),
        Resolution.Invalid invalid => new(Refusal.InvalidConfiguration, invalid.Message),
        Resolution.NotKept notKept => new(Refusal.NotDurable, notKept.Message),
        Resolution.Unavailable unavailable => new(Refusal.StoreUnavailable, unavailable.Message),
        _ => throw new ArgumentOutOfRangeException(nameof(resolution), resolution, "Not a reason to refuse."),
    };
}
