using Wunderproxy.Contracts.Control;
using Wunderproxy.Proxy.Stats;

namespace Wunderproxy.Proxy.Targets;

/// <summary>How requests are served at one instant. Never changed, only replaced by another one in one step.</summary>
/// <param name="Upstream">The active target; absent: none yet.</param>
/// <param name="Maintenance">The page that answers everything, while maintenance is up.</param>
/// <param name="Routing">Which requests belong to the application.</param>
/// <param name="Untargeted">Records requests that are answered without a target.</param>
internal sealed record Serving(Upstream? Upstream, MaintenancePage? Maintenance, Routing Routing, TrafficRecorder Untargeted);
