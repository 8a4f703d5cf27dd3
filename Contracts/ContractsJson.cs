using System.Text.Json;
using System.Text.Json.Serialization;
using Wunderproxy.Contracts.Admin;
using Wunderproxy.Contracts.Control;
using Wunderproxy.Contracts.Launching;

namespace Wunderproxy.Contracts;

/// <summary>JSON of everything that crosses a process boundary, source generated. Unknown members and nulls in required places are errors.</summary>
/// <remarks>Generated code hands null or zero to the init accessor of a member that is absent, and so undoes its initializer: where one has a default, the accessor puts it back.</remarks>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.General,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    PropertyNameCaseInsensitive = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    UseStringEnumConverter = true,
    MaxDepth = 32)]
[JsonSerializable(typeof(LaunchConfiguration))]
[JsonSerializable(typeof(ApplicationSnapshot))]
[JsonSerializable(typeof(ApplicationState))]
[JsonSerializable(typeof(FenceRequest))]
[JsonSerializable(typeof(DrainRequest))]
[JsonSerializable(typeof(ControlProblem))]
[JsonSerializable(typeof(AcmeSettings))]
[JsonSerializable(typeof(AcmeState))]
[JsonSerializable(typeof(IssuedCertificate))]
[JsonSerializable(typeof(ProxyStatus))]
[JsonSerializable(typeof(HostDrain))]
[JsonSerializable(typeof(RecentTraffic))]
[JsonSerializable(typeof(TrafficTotals))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(TrafficDocument))]
[JsonSerializable(typeof(DeploymentStatus))]
[JsonSerializable(typeof(HostEvent))]
[JsonSerializable(typeof(PlanExplanation))]
[JsonSerializable(typeof(CallerStatus))]
[JsonSerializable(typeof(HistoryStatus))]
[JsonSerializable(typeof(DrainOrder))]
[JsonSerializable(typeof(DrainStatus))]
[JsonSerializable(typeof(ReleaseOrder))]
[JsonSerializable(typeof(MaintenanceStatus))]
[JsonSerializable(typeof(PauseStatus))]
[JsonSerializable(typeof(HostDrainStatus))]
[JsonSerializable(typeof(AbortStatus))]
[JsonSerializable(typeof(HookCall))]
[JsonSerializable(typeof(CanaryOrder))]
[JsonSerializable(typeof(CanaryStatus))]
[JsonSerializable(typeof(ApiProblem))]
public sealed partial class ContractsJson : JsonSerializerContext;
